//! What must hold of the explanation of a decision.

use bearward_core::decide::Means;
use bearward_core::explain::Explanation;
use bearward_core::{Policy, Request, Verdict};

/// Asserts that an explanation is that of the verdict, and consistent: the steps come in order, each once; all were passed but
/// the last where the request is refused, and that one says why. Nothing in it could steer a terminal.
///
/// # Panics
/// If it is not.
pub fn check_explanation(policy: &Policy, request: &Request<'_>, means: Means<'_>, verdict: &Verdict<'_>) {
    let Explanation { verdict: explained, steps } = policy.explain(request, means);
    assert_eq!(explained, *verdict, "an explanation of something else");
    let is_refused = verdict.rejection().is_some();
    assert!(!steps.is_empty());
    for (index, own) in steps.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| steps.get(index));
        assert!(before.is_none_or(|before| before.step < own.step), "{steps:?}");
        let is_fault = is_refused && index + 1 == steps.len();
        assert_eq!(own.ok, !is_fault, "{verdict} {steps:?}");
        assert_eq!(own.notes.iter().all(|note| note.ok), !is_fault, "{verdict} {steps:?}");
        for note in &own.notes {
            let is_plain =
                |letter: char| letter == ' ' || letter.is_ascii_graphic() || letter.is_alphanumeric();
            assert!(note.text.chars().all(is_plain), "{:?}", note.text);
        }
    }
}
