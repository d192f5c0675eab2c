//! The places of an answer that the scanner writes down: where each value begins and ends, and where the next is.
//!
//! A place is written down for every member of an object and for every object and array within an array. The numbers,
//! texts and literals in an array are not: they are found again by stepping over them, so that three megabytes of
//! numbers cost nothing.

/// How many places are written down at most: 16 MiB, and half of that again while the last of it is made room for.
///
/// The component has 64 MiB, 16 of them for the answer's text. Stripe's own answers have a place every 25 to 40 bytes, and
/// so at most 700,000 in those 16 MiB.
pub const MOST: usize = 1 << 20;

/// The length of a name that is too long for its bits, or is not written as it reads.
const LONG: usize = 0xfff;

/// The place of one value, and of its name where it has one.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Where its name begins, behind the quote; 0 where it has none.
    pub name: u32,
    /// Where it begins.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
    /// The index of the first place behind all that is within it, and below that 12 bits for its name's length.
    link: u32,
}

impl Place {
    /// The index of the first place that is not within it.
    pub fn next(&self) -> usize {
        (self.link >> 12) as usize
    }

    /// The length of its name; none where one has to look.
    pub fn name_length(&self) -> Option<usize> {
        let length = self.link as usize & LONG;
        (length != LONG).then_some(length)
    }
}

/// The name of a value that is about to be written down.
#[derive(Debug, Clone, Copy)]
pub struct Name {
    start: u32,
    length: u32,
}

impl Name {
    /// That of what is no member.
    pub const NONE: Self = Self { start: 0, length: 0 };

    /// The name that is written from `start` to `end`. `plain`: without escapes.
    pub fn new(start: usize, end: usize, plain: bool) -> Self {
        let length = if plain { (end - start).min(LONG) } else { LONG };
        Self { start: start as u32, length: length as u32 }
    }
}

/// All places, in the order of the text.
#[derive(Debug)]
pub struct Tape {
    places: Vec<Place>,
}

impl Tape {
    /// An empty one with room for what such a text mostly has.
    pub fn for_text(bytes: usize) -> Self {
        Self { places: Vec::with_capacity((bytes / 16).clamp(8, 4096)) }
    }

    /// All places.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// How many there is room for.
    #[cfg(test)]
    pub fn capacity(&self) -> usize {
        self.places.capacity()
    }

    /// Writes down a value that has nothing within it. Fails at the bound.
    pub fn scalar(&mut self, name: Name, start: usize, end: usize) -> Option<()> {
        let next = self.places.len() + 1;
        self.push(name, start, end, next)
    }

    /// Writes down an object or array that begins within another, of this index; [`Self::close`] tells the rest. Until
    /// then what it is within stands where its end will. Fails at the bound.
    #[inline]
    pub fn open(&mut self, name: Name, start: usize, within: usize) -> Option<usize> {
        let index = self.places.len();
        self.push(name, start, within, index)?;
        Some(index)
    }

    /// Says where an object or array has ended. Gives the index of what it is within.
    #[inline]
    pub fn close(&mut self, index: usize, end: usize) -> usize {
        let next = self.places.len() as u32;
        let Some(place) = self.places.get_mut(index) else { return 0 };
        place.link = next << 12 | place.link & LONG as u32;
        std::mem::replace(&mut place.end, end as u32) as usize
    }

    /// Where a value begins.
    #[inline]
    pub fn start_of(&self, index: usize) -> Option<usize> {
        self.places.get(index).map(|place| place.start as usize)
    }

    #[inline(always)]
    fn push(&mut self, name: Name, start: usize, end: usize, next: usize) -> Option<()> {
        if self.places.len() == self.places.capacity() {
            self.grow()?;
        }
        let link = (next as u32) << 12 | name.length;
        self.places.push(Place { name: name.start, start: start as u32, end: end as u32, link });
        Some(())
    }

    /// Twice as many, and never more than the bound. A large text begins with a power of two, so that the last step
    /// is from half of the bound to all of it.
    #[cold]
    fn grow(&mut self) -> Option<()> {
        let now = self.places.len();
        let room = MOST.checked_sub(now).filter(|room| *room > 0)?;
        self.places.reserve_exact(now.clamp(1, room));
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_new_together_take_24_mebibytes_while_it_grows() {
        assert_eq!(size_of::<Place>(), 16);
        let mut tape = Tape::for_text(16 << 20);
        let mut peak = 0;
        loop {
            let before = tape.capacity();
            if tape.scalar(Name::NONE, 0, 0).is_none() {
                break;
            }
            if tape.capacity() > before {
                peak = peak.max((before + tape.capacity()) * size_of::<Place>());
            }
        }
        assert_eq!((tape.places().len(), peak), (MOST, 24 << 20));
    }
}
