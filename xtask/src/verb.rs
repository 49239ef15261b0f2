//! The errands, one a file.
