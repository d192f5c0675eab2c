//! The body of an answer while it arrives: one buffer, bounded, and never copied twice over.

/// A body that is larger than what is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge;

/// What has arrived.
#[derive(Debug)]
pub struct Received {
    bytes: Vec<u8>,
    announced: Option<usize>,
    most: usize,
}

/// How much a buffer of unknown end grows by at least.
const STEP: usize = 64 * 1024;

impl Received {
    /// An empty body of this announced length, at most `most` bytes.
    ///
    /// # Errors
    /// More is announced.
    pub fn new(announced: Option<usize>, most: usize) -> Result<Self, TooLarge> {
        if announced.is_some_and(|a| a > most) {
            return Err(TooLarge);
        }
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(announced.unwrap_or(0)).map_err(|_| TooLarge)?;
        Ok(Self { bytes, announced, most })
    }

    /// Adds what came. What comes after the announced length does not belong to the answer.
    ///
    /// # Errors
    /// It is more than what is read.
    pub fn add(&mut self, chunk: &[u8]) -> Result<(), TooLarge> {
        let room = self.announced.unwrap_or(usize::MAX).saturating_sub(self.bytes.len());
        let chunk = chunk.get(..room).unwrap_or(chunk);
        let length = self.bytes.len().saturating_add(chunk.len());
        if length > self.most {
            return Err(TooLarge);
        }
        if length > self.bytes.capacity() {
            // By half, and never beyond the bound: while it moves, both buffers exist.
            let grown = (self.bytes.capacity() / 2 * 3).max(length).max(STEP).min(self.most);
            self.bytes.try_reserve_exact(grown - self.bytes.len()).map_err(|_| TooLarge)?;
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    /// Whether all that was announced is there.
    pub fn is_whole(&self) -> bool {
        self.announced == Some(self.bytes.len())
    }

    /// Whether less came than was announced.
    pub fn is_short(&self) -> bool {
        self.announced.is_some_and(|a| a > self.bytes.len())
    }

    /// The body.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIB: usize = 1024 * 1024;

    #[test]
    fn an_announced_body_is_one_buffer_of_its_own_size() {
        let mut body = Received::new(Some(16 * MIB), 16 * MIB).expect("fits");
        let place = body.bytes.as_ptr();
        for _ in 0..256 {
            assert!(!body.is_whole() && body.is_short());
            body.add(&[b' '; 64 * 1024]).expect("fits");
        }
        assert!(body.is_whole());
        let text = String::from_utf8(body.into_bytes()).expect("text");
        assert_eq!((text.len(), text.as_ptr(), text.capacity()), (16 * MIB, place, 16 * MIB), "never moved");
    }

    #[test]
    fn a_body_of_unknown_length_never_reserves_more_than_is_read() {
        let mut body = Received::new(None, 16 * MIB).expect("fits");
        let (mut moves, mut place) = (0, body.bytes.as_ptr());
        for _ in 0..1024 {
            body.add(&[0; 16 * 1024]).expect("fits");
            assert!(body.bytes.capacity() <= 16 * MIB);
            moves += usize::from(std::mem::replace(&mut place, body.bytes.as_ptr()) != place);
        }
        assert!(moves < 20, "{moves}");
        assert_eq!(body.add(&[0]), Err(TooLarge));
    }

    #[test]
    fn what_is_too_large_is_refused_before_it_is_read() {
        assert!(Received::new(Some(16 * MIB + 1), 16 * MIB).is_err());
        assert!(Received::new(Some(usize::MAX), 16 * MIB).is_err());
    }

    proptest! {
        #[test]
        fn the_chunks_are_put_together_up_to_the_announced_length(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..20),
            announced in proptest::option::of(0usize..400),
        ) {
            let all: Vec<u8> = chunks.concat();
            let mut body = Received::new(announced, 1000).expect("fits");
            for chunk in &chunks {
                body.add(chunk).expect("fits");
            }
            let short = announced.is_some_and(|a| a > all.len());
            prop_assert_eq!(body.is_short(), short);
            prop_assert_eq!(body.is_whole(), announced.is_some_and(|a| a <= all.len()));
            let expected = &all[..announced.unwrap_or(all.len()).min(all.len())];
            prop_assert_eq!(body.into_bytes(), expected);
        }
    }
}
