//! README and the headers.
