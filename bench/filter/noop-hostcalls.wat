;; A filter that asks the host what bearward.wasm asks it for a known token, and does nothing else: what no module that tells the
;; upstream three things, writes a word into the access log and counts can go below (ABI 0.2.1 of proxy-wasm). With the lines that are
;; there only then, it also has the host verify a signature, of several hundred that take turns: below that no module can go with a new
;; token.
(module
  (import "env" "proxy_define_metric" (func $define_metric (param i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_increment_metric" (func $increment_metric (param i32 i64) (result i32)))
  (import "env" "proxy_get_header_map_pairs" (func $header_pairs (param i32 i32 i32) (result i32)))
  (import "env" "proxy_get_current_time_nanoseconds" (func $time (param i32) (result i32)))
  (import "env" "proxy_set_property" (func $set_property (param i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_add_header_map_value" (func $add_header (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_call_foreign_function" (func $call (param i32 i32 i32 i32 i32 i32) (result i32))) ;; # only: verifies
  (memory (export "memory") 18)
  ;; Eight bytes each for what the host returns: an address and a length, a time, the numbers of two metrics.
  (data (i32.const 64) "bearward")
  (data (i32.const 96) "forward - restaurant/tours bearward")
  (data (i32.const 160) "x-user-id")
  (data (i32.const 192) "0b1c2d3e-0000-4000-8000-000000000000")
  (data (i32.const 256) "x-user-roles")
  (data (i32.const 288) "rider")
  (data (i32.const 320) "x-user-issuer")
  (data (i32.const 352) "bench_noop_requests")
  (data (i32.const 384) "bench_noop_cache")
  (data (i32.const 416) "verify_signature") ;; # only: verifies
  ;; From 131072 on, every 2048 bytes: how long it is, and what the host is asked. ;; # only: verifies
  ${slots} ;; # only: verifies
  (global $slot (mut i32) (i32.const 0)) ;; # only: verifies
  (global $free (mut i32) (i32.const 8192))
  (func (export "proxy_abi_version_0_2_1"))
  ;; Begins again where the memory ends: nobody keeps anything.
  (func (export "proxy_on_memory_allocate") (param $size i32) (result i32)
    (local $at i32)
    (if (i32.gt_u (i32.add (global.get $free) (local.get $size)) (i32.const 131072))
      (then (global.set $free (i32.const 8192))))
    (local.set $at (global.get $free))
    (global.set $free (i32.add (local.get $at) (local.get $size)))
    (local.get $at))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    ;; Counters.
    (drop (call $define_metric (i32.const 0) (i32.const 352) (i32.const 19) (i32.const 24)))
    (drop (call $define_metric (i32.const 0) (i32.const 384) (i32.const 16) (i32.const 32)))
    (i32.const 1))
  (func (export "proxy_on_tick") (param i32))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (local $at i32)
    (drop (call $header_pairs (i32.const 0) (i32.const 0) (i32.const 4)))
    (drop (call $time (i32.const 16)))
    (global.set $slot (i32.rem_u (i32.add (global.get $slot) (i32.const 1)) (i32.const ${count}))) ;; # only: verifies
    (local.set $at (i32.add (i32.const 131072) (i32.mul (global.get $slot) (i32.const 2048)))) ;; # only: verifies
    (i32.store (i32.const 44) (i32.const 0)) ;; # only: verifies
    (drop (call $call (i32.const 416) (i32.const 16) (i32.add (local.get $at) (i32.const 4)) (i32.load (local.get $at)) (i32.const 40) (i32.const 44))) ;; # only: verifies
    ;; The result of one that holds: its first field, a truth value, and nothing else. ;; # only: verifies
    (if (i32.ne (i32.load (i32.const 44)) (i32.const 2)) (then (unreachable))) ;; # only: verifies
    (if (i32.ne (i32.load16_u (i32.load (i32.const 40))) (i32.const 0x0108)) (then (unreachable))) ;; # only: verifies
    (drop (call $set_property (i32.const 64) (i32.const 8) (i32.const 96) (i32.const 35)))
    (drop (call $add_header (i32.const 0) (i32.const 160) (i32.const 9) (i32.const 192) (i32.const 36)))
    (drop (call $add_header (i32.const 0) (i32.const 256) (i32.const 12) (i32.const 288) (i32.const 5)))
    (drop (call $add_header (i32.const 0) (i32.const 320) (i32.const 13) (i32.const 64) (i32.const 8)))
    (drop (call $increment_metric (i32.load (i32.const 24)) (i64.const 1)))
    (drop (call $increment_metric (i32.load (i32.const 32)) (i64.const 1)))
    (i32.const 0))
  (func (export "proxy_on_request_trailers") (param i32 i32) (result i32) (i32.const 0))
  (func (export "proxy_on_http_call_response") (param i32 i32 i32 i32 i32))
  (func (export "proxy_on_delete") (param i32)))
