//! The filter's module: what it exports, what it imports.
