use compliance_log::seal::{
    note::{Note, NoteFile},
    statement::{Certificates, Checkpoint},
};

/// What a witness knows of one store: its certificate, and the newest checkpoint that was cosigned.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) certificates: Certificates,
    pub(super) newest: Option<Newest>,
}

#[derive(Clone, Debug)]
pub(super) struct Newest {
    pub(super) checkpoint: Checkpoint,
    /// As it is given to those who ask: with the signatures of the log key and ours.
    pub(super) note: Note,
}

impl Newest {
    pub(super) fn parse(note: &[u8]) -> Result<Self, compliance_log::Error> {
        let note = Note::parse(note)?;
        let checkpoint = Checkpoint::from_text(note.text())?;
        Ok(Self { checkpoint, note })
    }
}

impl Known {
    /// The bytes of its file: the blocks of certificates, then that of the checkpoint.
    pub(super) fn to_file(&self) -> String {
        let newest = self.newest.as_ref().map(|newest| newest.note.to_block());
        self.certificates.to_file() + &newest.unwrap_or_default()
    }

    /// Reads the file.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(super) fn parse(file: &[u8]) -> Result<Self, String> {
        let text = |error: compliance_log::Error| error.to_string();
        let blocks = NoteFile::split(file);
        let Some((at, last)) = blocks.notes.last().filter(|_| blocks.torn.is_none()) else {
            return Err("it is not made of whole notes".to_owned());
        };
        // Only a checkpoint begins with an origin.
        let (certificates, newest) = match Newest::parse(last) {
            Ok(newest) => {
                let at = usize::try_from(*at).unwrap_or(0);
                (file.get(..at).unwrap_or_default(), Some(newest))
            }
            Err(_) => (file, None),
        };
        let known = Self {
            certificates: Certificates::parse(certificates).map_err(text)?,
            newest,
        };
        let certified = known.certificates.store().statement();
        if let Some(newest) = &known.newest {
            if newest.checkpoint.origin != certified.origin {
                return Err("its checkpoint is of another store".to_owned());
            }
            newest.note.check(&certified.log).map_err(text)?;
        }
        Ok(known)
    }

    /// How large the catalog was at the newest checkpoint.
    pub(super) fn size(&self) -> u64 {
        self.newest
            .as_ref()
            .map_or(0, |newest| newest.checkpoint.size)
    }
}
