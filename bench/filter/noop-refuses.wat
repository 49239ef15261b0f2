;; A filter that refuses everything and does nothing else, with the callbacks that bearward.wasm exports: what a refusal
;; costs any module (ABI 0.2.1 of proxy-wasm).
(module
  (import "env" "proxy_send_local_response" (func $refuse (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  ;; A body, and a list of no headers.
  (data (i32.const 512) "refused\00\00\00\00")
  (global $free (mut i32) (i32.const 1024))
  (func (export "proxy_abi_version_0_2_1"))
  ;; Begins again where the memory ends: nobody keeps anything.
  (func (export "proxy_on_memory_allocate") (param $size i32) (result i32)
    (local $at i32)
    (if (i32.gt_u (i32.add (global.get $free) (local.get $size)) (i32.const 131072))
      (then (global.set $free (i32.const 1024))))
    (local.set $at (global.get $free))
    (global.set $free (i32.add (local.get $at) (local.get $size)))
    (local.get $at))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.const 1))
  (func (export "proxy_on_tick") (param i32))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (drop (call $refuse (i32.const 401) (i32.const 512) (i32.const 7) (i32.const 512) (i32.const 7)
      (i32.const 519) (i32.const 4) (i32.const -1)))
    (i32.const 1))
  (func (export "proxy_on_request_trailers") (param i32 i32) (result i32) (i32.const 0))
  (func (export "proxy_on_http_call_response") (param i32 i32 i32 i32 i32))
  (func (export "proxy_on_delete") (param i32)))
