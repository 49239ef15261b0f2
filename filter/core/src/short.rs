//! Lists that are short as a rule, and then stand on the stack.

use std::ops::{Deref, DerefMut};

use arrayvec::ArrayVec;

/// A list of any length, of which at most `N` stand on the stack.
#[derive(Clone, Debug)]
pub(crate) enum Short<T, const N: usize> {
    Stack(ArrayVec<T, N>),
    Heap(Vec<T>),
}

impl<T, const N: usize> Short<T, N> {
    pub(crate) fn new() -> Self {
        Self::Stack(ArrayVec::new_const())
    }

    pub(crate) fn push(&mut self, item: T) {
        match self {
            Self::Stack(list) => {
                if let Err(full) = list.try_push(item) {
                    let mut all = Vec::with_capacity(N.saturating_mul(2));
                    all.extend(list.drain(..));
                    all.push(full.element());
                    *self = Self::Heap(all);
                }
            }
            Self::Heap(list) => list.push(item),
        }
    }

    pub(crate) fn retain(&mut self, mut holds: impl FnMut(&T) -> bool) {
        match self {
            Self::Stack(list) => list.retain(|item| holds(item)),
            Self::Heap(list) => list.retain(holds),
        }
    }
}

impl<T, const N: usize> Deref for Short<T, N> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Stack(list) => list,
            Self::Heap(list) => list,
        }
    }
}

impl<T, const N: usize> DerefMut for Short<T, N> {
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Self::Stack(list) => list,
            Self::Heap(list) => list,
        }
    }
}

impl<T, const N: usize> FromIterator<T> for Short<T, N> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut list = Self::new();
        items.into_iter().for_each(|item| list.push(item));
        list
    }
}

impl<'l, T, const N: usize> IntoIterator for &'l Short<T, N> {
    type Item = &'l T;
    type IntoIter = std::slice::Iter<'l, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'l, T, const N: usize> IntoIterator for &'l mut Short<T, N> {
    type Item = &'l mut T;
    type IntoIter = std::slice::IterMut<'l, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl<T: PartialEq, const N: usize> PartialEq for Short<T, N> {
    fn eq(&self, other: &Self) -> bool {
        self[..] == other[..]
    }
}

impl<T: Eq, const N: usize> Eq for Short<T, N> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_the_same_however_long_it_is() {
        for length in 0..10 {
            let mut list: Short<String, 3> = (0..length).map(|number: u8| number.to_string()).collect();
            let mut expected: Vec<_> = (0..length).map(|number| number.to_string()).collect();
            assert_eq!(list[..], expected[..]);
            assert_eq!(matches!(list, Short::Stack(_)), length <= 3);
            assert!(list == list.clone() && list.iter().eq(&list));
            list.retain(|item| item != "1");
            expected.retain(|item| item != "1");
            assert_eq!(list[..], expected[..]);
        }
    }
}
