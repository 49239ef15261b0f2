//! Migrations are embedded by a macro: a new file among them must build the package anew.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
