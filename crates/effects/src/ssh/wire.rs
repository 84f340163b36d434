//! The parts that SFTP's packets are made of (draft-ietf-secsh-filexfer-02, version 3, as OpenSSH speaks it).

use super::sftp::SftpError;

/// Size and owner, kind, permissions, time: as far as the server tells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Attributes {
    pub(crate) size: Option<u64>,
    /// User and group.
    pub(crate) owner: Option<(u32, u32)>,
    /// Kind and permissions.
    pub(crate) mode: Option<u32>,
    /// Seconds since 1970.
    pub(crate) modified: Option<u32>,
}

const SIZE: u32 = 1;
const OWNER: u32 = 2;
const MODE: u32 = 4;
const TIMES: u32 = 8;
const EXTENDED: u32 = 0x8000_0000;

const KIND: u32 = 0o170_000;

impl Attributes {
    pub(crate) fn is_file(&self) -> bool {
        self.is(0o100_000)
    }

    pub(crate) fn is_folder(&self) -> bool {
        self.is(0o040_000)
    }

    pub(crate) fn is_symlink(&self) -> bool {
        self.is(0o120_000)
    }

    fn is(&self, kind: u32) -> bool {
        self.mode.is_some_and(|mode| mode & KIND == kind)
    }

    /// Permissions only.
    pub(crate) fn permissions(&self) -> u32 {
        self.mode.unwrap_or_default() & 0o7777
    }
}

/// A request being written: its length and its number come last.
#[derive(Debug)]
pub(crate) struct Packet(Vec<u8>);

impl Packet {
    pub(crate) fn new(kind: u8) -> Self {
        Self(vec![0, 0, 0, 0, kind, 0, 0, 0, 0])
    }

    pub(crate) fn number(mut self, number: u32) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    pub(crate) fn long(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    /// Bytes with their length before them.
    pub(crate) fn bytes(self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        // No caller has as much as would not fit: paths, handles, and pieces of files.
        let mut packet = self.number(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        packet.0.extend_from_slice(bytes);
        packet
    }

    pub(crate) fn attributes(self, attributes: Attributes) -> Self {
        let mut flags = 0;
        for (given, flag) in [
            (attributes.owner.is_some(), OWNER),
            (attributes.mode.is_some(), MODE),
        ] {
            flags |= if given { flag } else { 0 };
        }
        let mut packet = self.number(flags);
        if let Some((user, group)) = attributes.owner {
            packet = packet.number(user).number(group);
        }
        match attributes.mode {
            Some(mode) => packet.number(mode),
            None => packet,
        }
    }

    pub(crate) fn finish(mut self, id: u32) -> Vec<u8> {
        self.0[5..9].copy_from_slice(&id.to_be_bytes());
        let length = u32::try_from(self.0.len() - 4).unwrap_or(u32::MAX);
        self.0[..4].copy_from_slice(&length.to_be_bytes());
        self.0
    }
}

/// What is left to read of a packet. Every length is held against what is there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], SftpError> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or(SftpError::Protocol("a packet ends before its content"))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> Result<u8, SftpError> {
        Ok(self.take(1)?[0])
    }

    pub(crate) fn number(&mut self) -> Result<u32, SftpError> {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(self.take(4)?);
        Ok(u32::from_be_bytes(bytes))
    }

    pub(crate) fn long(&mut self) -> Result<u64, SftpError> {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(self.take(8)?);
        Ok(u64::from_be_bytes(bytes))
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], SftpError> {
        let count = self.number()?;
        self.take(usize::try_from(count).unwrap_or(usize::MAX))
    }

    pub(crate) fn text(&mut self) -> Result<String, SftpError> {
        Ok(String::from_utf8_lossy(self.bytes()?).into_owned())
    }

    pub(crate) fn attributes(&mut self) -> Result<Attributes, SftpError> {
        let flags = self.number()?;
        let mut attributes = Attributes::default();
        if flags & SIZE != 0 {
            attributes.size = Some(self.long()?);
        }
        if flags & OWNER != 0 {
            attributes.owner = Some((self.number()?, self.number()?));
        }
        if flags & MODE != 0 {
            attributes.mode = Some(self.number()?);
        }
        if flags & TIMES != 0 {
            self.number()?;
            attributes.modified = Some(self.number()?);
        }
        if flags & EXTENDED != 0 {
            for _ in 0..self.number()? {
                self.bytes()?;
                self.bytes()?;
            }
        }
        Ok(attributes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_is_read() {
        let attributes = Attributes {
            owner: Some((1, 2)),
            mode: Some(0o100_640),
            ..Attributes::default()
        };
        let packet = Packet::new(9)
            .long(8)
            .bytes("name")
            .attributes(attributes)
            .finish(7);
        let mut reader = Reader(&packet);
        assert_eq!(reader.number().unwrap() as usize, packet.len() - 4);
        assert_eq!((reader.byte().unwrap(), reader.number().unwrap()), (9, 7));
        assert_eq!(reader.long().unwrap(), 8);
        assert_eq!(reader.bytes().unwrap(), b"name");
        let read = reader.attributes().unwrap();
        assert_eq!(read, attributes);
        assert!(read.is_file() && !read.is_folder() && !read.is_symlink());
        assert_eq!(read.permissions(), 0o640);
        assert!(reader.is_empty());
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let mut reader = Reader(&bytes);
            while reader.attributes().is_ok() && reader.text().is_ok() && !reader.is_empty() {}
        }
    }
}
