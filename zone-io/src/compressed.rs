//! Input that is gzip or zstd data, known by its first bytes, as the text in it; how far it may expand is bounded.
//! What the text says is not looked at.

use std::io::{self, BufRead, BufReader, Cursor, Error, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Compressed data is read in blocks of this size.
const BLOCK: usize = 64 * 1024;
/// Text of so many bytes is never too much for its compressed form.
const ALWAYS_ALLOWED: u64 = 64 << 20;
/// More times its size than this, compressed text is no zone but an attack: zones come to 5 to 20 times.
const MOST_EXPANSION: u64 = 200;

/// How an input is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Zstd,
}

impl Compression {
    /// By the first bytes: RFC 1952 2.3.1, RFC 8878 3.1.1 and, for a frame to be skipped, 3.1.2.
    pub(crate) fn of(start: &[u8]) -> Option<Self> {
        match start {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// The text of an input whose bytes are `raw`: themselves, or what they are the compressed form of. At most `most`
/// bytes of text are given where that is stated.
pub(crate) fn decompressed(mut raw: impl Read + Send + 'static, most: Option<u64>) -> io::Result<Box<dyn Read + Send>> {
    let mut start = Vec::new();
    raw.by_ref().take(4).read_to_end(&mut start)?;
    let compression = Compression::of(&start);
    let taken = Arc::new(AtomicU64::new(0));
    let counted = Counted {
        inner: Cursor::new(start).chain(raw),
        taken: taken.clone(),
    };
    let inner: Box<dyn Read + Send> = match compression {
        None if most.is_none() => return Ok(Box::new(counted.inner)),
        None => Box::new(counted.inner),
        Some(Compression::Gzip) => Box::new(Named {
            inner: MultiGzDecoder::new(BufReader::with_capacity(BLOCK, counted)),
            what: "gzip",
        }),
        Some(Compression::Zstd) => Box::new(Named {
            inner: Zstd {
                source: BufReader::with_capacity(BLOCK, counted),
                decoder: FrameDecoder::new(),
            },
            what: "zstd",
        }),
    };
    Ok(Box::new(Bounded {
        inner,
        given: 0,
        most,
        taken,
    }))
}

/// Counts the bytes that are taken out of it.
struct Counted<R> {
    inner: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.taken.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Says in its errors what could not be read.
struct Named<R> {
    inner: R,
    what: &'static str,
}

impl<R: Read> Read for Named<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).map_err(|error| match error.kind() {
            ErrorKind::Interrupted => error,
            ErrorKind::UnexpectedEof => Error::new(error.kind(), format!("the {} data ends too early", self.what)),
            kind => Error::new(kind, format!("the {} data cannot be read: {error}", self.what)),
        })
    }
}

/// Ends in an error when it gives too much.
struct Bounded<R> {
    inner: R,
    given: u64,
    /// So many bytes in any case, or else by the size of what they were made from.
    most: Option<u64>,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.given += count as u64;
        let expansion = self.taken.load(Ordering::Relaxed).saturating_mul(MOST_EXPANSION);
        let what = match self.most {
            Some(most) if self.given > most => format!("it has more than the {most} bytes of text that are allowed"),
            None if self.given > ALWAYS_ALLOWED.max(expansion) => {
                format!(
                    "it expands to more than {MOST_EXPANSION} times its size, which no zone does: allow so many bytes of text if it is one"
                )
            }
            _ => return Ok(count),
        };
        Err(Error::new(ErrorKind::FileTooLarge, what))
    }
}

/// The text of one zstd frame after another.
struct Zstd<R> {
    source: R,
    decoder: FrameDecoder,
}

impl<R: BufRead> Zstd<R> {
    /// Starts the next frame; `false` at the end of the data.
    fn next_frame(&mut self) -> io::Result<bool> {
        if let (Some(stated), Some(found)) = (
            self.decoder.get_checksum_from_data(),
            self.decoder.get_calculated_checksum(),
        ) && stated != found
        {
            return Err(Error::new(ErrorKind::InvalidData, "its checksum is another"));
        }
        loop {
            if self.source.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.decoder.reset(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = u64::from(length);
                    if io::copy(&mut self.source.by_ref().take(length), &mut io::sink())? < length {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(Error::new(ErrorKind::InvalidData, error.to_string())),
            }
        }
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while self.decoder.can_collect() == 0 {
            if self.decoder.is_finished() {
                if !self.next_frame()? {
                    return Ok(0);
                }
            } else {
                self.decoder
                    .decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(|error| Error::new(ErrorKind::InvalidData, error.to_string()))?;
            }
        }
        self.decoder.read(buffer)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn read(bytes: Vec<u8>, most: Option<u64>) -> Result<Vec<u8>, String> {
        let mut text = Vec::new();
        decompressed(Cursor::new(bytes), most)
            .and_then(|mut reader| reader.read_to_end(&mut text))
            .map(|_| text)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn both_forms_are_known_by_their_first_bytes() {
        let text: Vec<u8> = (0..200_000u32)
            .flat_map(|number| number.to_string().into_bytes())
            .collect();
        for compressed in [text.clone(), gzip(&text), zstd(&text)] {
            assert!(read(compressed, None).unwrap() == text);
        }
        assert_eq!(read(Vec::new(), None).unwrap(), b"");
        assert_eq!(read(b"a".to_vec(), None).unwrap(), b"a");
    }

    #[test]
    fn several_members_and_frames_are_one_text() {
        let two = |form: fn(&[u8]) -> Vec<u8>| [form(b"one "), form(b"two")].concat();
        assert_eq!(read(two(gzip), None).unwrap(), b"one two");
        assert_eq!(read(two(zstd), None).unwrap(), b"one two");
        let skipped = [&[0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3], &*two(zstd)].concat();
        assert_eq!(read(skipped, None).unwrap(), b"one two");
    }

    #[test]
    fn data_cut_short_or_altered_is_an_error() {
        let text: Vec<u8> = (0..9000u32)
            .flat_map(|number| number.to_string().into_bytes())
            .collect();
        for (form, name) in [(gzip as fn(&[u8]) -> Vec<u8>, "gzip"), (zstd, "zstd")] {
            let whole = form(&text);
            for length in [6, whole.len() / 2, whole.len() - 1] {
                let message = read(whole[..length].to_vec(), None).unwrap_err();
                assert!(message.contains(name), "{message}");
            }
        }
        let mut gzip = gzip(&text);
        let at = gzip.len() - 8;
        gzip[at] ^= 1;
        assert!(read(gzip, None).is_err());
    }

    #[test]
    fn what_expands_without_end_is_refused() {
        let bomb = gzip(&vec![b'\n'; 70 << 20]);
        let message = read(bomb.clone(), None).unwrap_err();
        assert!(message.contains("200 times"), "{message}");
        assert_eq!(read(bomb, Some(80 << 20)).unwrap().len(), 70 << 20);
        let message = read(gzip(b"some text"), Some(8)).unwrap_err();
        assert!(message.contains("more than the 8 bytes"), "{message}");
        assert!(read(b"some text".to_vec(), Some(8)).is_err());
    }
}
