//! Whether an object goes on from where somebody is: the one rule for answers of the issuer and for what is read in shared
//! data (step 4 of the model).

use super::answer::{Answer, Part};
use super::{FeedRefusal, Position, Standing};

/// A snapshot of which some pages are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Paging {
    /// That of all its pages.
    pub(super) head: Position,
    /// Where the next one goes on.
    pub(super) through: u64,
    /// Of the oldest page: that the head had not moved after, nobody has said.
    pub(super) as_of: u64,
    /// How many there are.
    pub(super) pages: u32,
}

/// Where an object leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// Into a snapshot that has more pages.
    Pages(Paging),
    /// To a place.
    At(Standing),
}

/// Where a page leads, after those of the same snapshot that were taken.
pub(super) fn after_pages(taken: Option<&Paging>, answer: &Answer) -> Result<Link, FeedRefusal> {
    let Part::Page { after, through } = answer.part else { return Err(FeedRefusal::Page) };
    let (expected, as_of, pages) = match taken {
        None => (0, answer.as_of, 0),
        Some(paging) if paging.head == answer.head => {
            (paging.through, paging.as_of.min(answer.as_of), paging.pages)
        }
        Some(_) => return Err(FeedRefusal::Page),
    };
    if after != expected {
        return Err(FeedRefusal::Page);
    }
    let pages = pages.saturating_add(1);
    Ok(if through == answer.head.sequence {
        Link::At(Standing { position: answer.head, as_of })
    } else {
        Link::Pages(Paging { head: answer.head, through, as_of, pages })
    })
}

/// Where a delta leads from a place. One that was cut moves it, and makes nobody fresh.
pub(super) fn after_place(held: &Standing, answer: &Answer) -> Result<Standing, FeedRefusal> {
    let Part::Delta { from, more } = answer.part else { return Err(FeedRefusal::Page) };
    if from.generation != held.position.generation {
        return Err(FeedRefusal::Generation);
    }
    if from != held.position {
        return Err(FeedRefusal::Position);
    }
    Ok(Standing { position: answer.head, as_of: if more { held.as_of } else { answer.as_of } })
}
