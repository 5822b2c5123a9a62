//! The checks that a program fails, for the tables of the steps and of the exercises.

/// A check that fails.
pub struct Failure {
    /// The name of the check.
    pub check: &'static str,
    /// The names of the reasons that `check` gives. More than one name: `check` prints the
    /// sentences of all these reasons, in this order.
    pub reasons: &'static [&'static str],
}

/// Returns a failure. With this function, each row of a table fits in one line.
pub const fn failure(check: &'static str, reasons: &'static [&'static str]) -> Failure {
    Failure { check, reasons }
}
