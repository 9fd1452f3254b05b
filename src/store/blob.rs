//! Saved state: postcard bytes with the layout's version and a checksum.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::reader::Asked;

/// A named piece of state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    pub(super) name: String,
    pub(super) version: u32,
    pub(super) sum: [u8; 8],
    pub(super) data: Vec<u8>,
}

/// State that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// Its bytes are not those that were saved.
    #[error("the saved state of the {0} is broken: its checksum is wrong")]
    Broken(String),
    /// It was saved in another layout.
    #[error("the saved state of the {name} has version {found}, this program reads {known}")]
    Version {
        /// Which state.
        name: String,
        /// Its version.
        found: u32,
        /// This program's.
        known: u32,
    },
    /// It is whole, but says what can't be.
    #[error("the saved state of the {name} can't be read: {cause}")]
    Content {
        /// Which state.
        name: String,
        /// What the decoder says.
        cause: postcard::Error,
    },
    /// It is too big.
    #[error("the state of the {0} is beyond 256 MiB")]
    TooBig(String),
    /// The file can't be read.
    #[error(transparent)]
    Store(#[from] Asked),
}

/// More is no state of an office.
const MOST: usize = 256 << 20;

impl Blob {
    /// Encodes a state; for a big one not on a thread that is in a hurry.
    ///
    /// # Errors
    /// A state that postcard can't write, or beyond 256 MiB.
    pub fn encode(name: &str, version: u32, state: &impl Serialize) -> Result<Self, BlobError> {
        let content = |cause| BlobError::Content { name: name.to_owned(), cause };
        let data = postcard::to_stdvec(state).map_err(content)?;
        if data.len() > MOST {
            return Err(BlobError::TooBig(name.to_owned()));
        }
        let sum = sum(name, version, &data);
        Ok(Self { name: name.to_owned(), version, sum, data })
    }

    /// The state, if it is whole and of this version.
    ///
    /// # Errors
    /// A state that is broken, of another version, or nonsense.
    pub fn decode<T: DeserializeOwned>(&self, known: u32) -> Result<T, BlobError> {
        let name = || self.name.clone();
        if self.sum != sum(&self.name, self.version, &self.data) {
            return Err(BlobError::Broken(name()));
        }
        if self.version != known {
            return Err(BlobError::Version { name: name(), found: self.version, known });
        }
        postcard::from_bytes(&self.data).map_err(|cause| BlobError::Content { name: name(), cause })
    }

    /// How many bytes it has.
    pub const fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether it has none.
    pub const fn is_empty(&self) -> bool {
        self.data.is_empty()
    }
}

/// The first 64 bits of SHA-256 over name, version and bytes.
fn sum(name: &str, version: u32, data: &[u8]) -> [u8; 8] {
    let mut hash = Sha256::new();
    hash.update(name.as_bytes());
    hash.update([0]);
    hash.update(version.to_le_bytes());
    hash.update(data);
    let mut out = [0; 8];
    out.copy_from_slice(&hash.finalize()[..8]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_as_it_was_or_says_why_not() {
        let blob = Blob::encode("judge", 3, &vec![1u64, 2, 3]).unwrap();
        assert_eq!(blob.decode::<Vec<u64>>(3).unwrap(), [1, 2, 3]);
        let said = |blob: &Blob, known| blob.decode::<Vec<u64>>(known).unwrap_err().to_string();
        assert_eq!(said(&blob, 4), "the saved state of the judge has version 3, this program reads 4");
        let renamed = Blob { name: "sensor".to_owned(), ..blob.clone() };
        assert_eq!(said(&renamed, 3), "the saved state of the sensor is broken: its checksum is wrong");
        let nonsense = Blob::encode("judge", 3, &u64::MAX).unwrap();
        assert!(said(&nonsense, 3).starts_with("the saved state of the judge can't be read:"));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let state: Vec<(u64, String)> = (0..150).map(|n| (n, format!("handset {n}"))).collect();
        let blob = Blob::encode("judge", 1, &state).unwrap();
        assert!(blob.data.len() * 8 > 10_000);
        for bit in 0..blob.data.len() * 8 {
            let mut broken = blob.clone();
            broken.data[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(broken.decode::<Vec<(u64, String)>>(1), Err(BlobError::Broken(_))));
        }
    }

    #[test]
    fn a_hostile_length_takes_no_memory() {
        // A list that says it has 2^60 entries, with a checksum that fits.
        let data = vec![0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10];
        let blob = Blob { name: "x".to_owned(), version: 1, sum: sum("x", 1, &data), data };
        assert!(matches!(blob.decode::<Vec<u64>>(1), Err(BlobError::Content { .. })));
    }
}
