//! Answers as they are sent: each is signed once, however many ask for it at the same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::body::Bytes;

use crate::store::LogPlace;

/// The most answers that are kept. Who asks for another one has it signed for himself.
const MAX_KEPT: usize = 64;

/// What an answer depends on, beside the reading that it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// What came after this place.
    Delta { from: LogPlace },
    /// The page after this sequence, up to this head.
    Page { head: LogPlace, after: u64 },
}

/// The answers of one reading.
#[derive(Default)]
pub(super) struct Answers(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    reading: u64,
    answers: HashMap<Subject, Arc<OnceLock<Option<Bytes>>>>,
}

impl Answers {
    /// The answer on this subject out of this reading; `sign` makes it where nobody has asked for it before. Who asks while
    /// it is being signed waits for that.
    pub(super) fn signed_once(
        &self,
        reading: u64,
        subject: Subject,
        sign: impl FnOnce() -> Option<Bytes>,
    ) -> Option<Bytes> {
        match self.place_of(reading, subject) {
            Some(place) => place.get_or_init(sign).clone(),
            None => sign(),
        }
    }

    fn place_of(&self, reading: u64, subject: Subject) -> Option<Arc<OnceLock<Option<Bytes>>>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.reading < reading {
            *kept = Kept { reading, answers: HashMap::new() };
        }
        let has_room = kept.answers.len() < MAX_KEPT || kept.answers.contains_key(&subject);
        (kept.reading == reading && has_room).then(|| Arc::clone(kept.answers.entry(subject).or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    fn delta(sequence: u64) -> Subject {
        Subject::Delta { from: LogPlace { sequence, digest: [0; 32] } }
    }

    #[test]
    fn whoever_asks_for_the_same_of_the_same_reading_gets_the_same_bytes_which_were_signed_once() {
        let (answers, signed) = (Answers::default(), AtomicUsize::new(0));
        let ask = |reading, sequence| {
            answers.signed_once(reading, delta(sequence), || {
                let number = signed.fetch_add(1, Ordering::Relaxed);
                thread::yield_now();
                Some(Bytes::from(number.to_string()))
            })
        };
        thread::scope(|scope| {
            let asking: Vec<_> = (0..16).map(|_| scope.spawn(|| ask(1, 7).unwrap())).collect();
            let all: Vec<_> = asking.into_iter().map(|asked| asked.join().unwrap()).collect();
            assert!(all.iter().all(|answer| answer.as_ptr() == all[0].as_ptr()), "shared, not copied");
        });
        assert_eq!(signed.load(Ordering::Relaxed), 1);
        assert_eq!(ask(1, 8).unwrap(), "1");
        assert_eq!(ask(2, 7).unwrap(), "2", "of a later reading it is another answer");
        assert_eq!(
            ask(1, 7).unwrap(),
            "3",
            "and one that comes late with the reading before disturbs nobody"
        );
        assert_eq!(ask(2, 7).unwrap(), "2");
    }

    #[test]
    fn the_number_of_answers_that_are_kept_is_bounded() {
        let answers = Answers::default();
        for sequence in 0..1000 {
            assert!(answers.signed_once(1, delta(sequence), || Some(Bytes::from("x"))).is_some());
        }
        assert_eq!(answers.0.lock().unwrap().answers.len(), MAX_KEPT);
    }
}
