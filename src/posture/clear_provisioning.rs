//! Check `clear_provisioning`: a handset is sent for its settings, SIP passwords among them, over a
//! protocol that everybody on the way can read.

use crate::fact::sighting::{ProvisioningBy, ProvisioningStep};
use crate::fact::{Sighting, What};
use crate::finding::{Check, Severity};
use crate::tally::Label;

use super::checklist::{Blind, Say, Sight};
use super::scene::{Found, Scene, Watcher, called, plural};

/// What was seen of provisioning so far.
#[derive(Debug, Default)]
pub struct ClearProvisioning {
    encrypted: u64,
}

crate::kept! {
    /// What was fetched before a restart.
    pub struct Memory of ClearProvisioning {
        encrypted: u64,
    }
}

impl Watcher for ClearProvisioning {
    fn check(&self) -> Check {
        Check::ClearProvisioning
    }

    fn sighting(&mut self, sighting: &Sighting, _scene: &Scene<'_>, out: &mut Vec<Found>) {
        let What::Provisioning(seen) = &sighting.what else { return };
        let protocol = match seen.by {
            ProvisioningBy::Tftp => "TFTP",
            ProvisioningBy::Http => "HTTP",
            ProvisioningBy::Ftp => "FTP",
            ProvisioningBy::Https => {
                self.encrypted = self.encrypted.saturating_add(1);
                return;
            }
            ProvisioningBy::Other => return,
        };
        let device = called(&sighting.device);
        let server = seen.server.map(|server| server.ip().to_string()).unwrap_or_default();
        let (of_office, sentence) = match seen.step {
            ProvisioningStep::Advertised => (
                true,
                format!(
                    "DHCP sends phones to fetch their settings over {protocol}, in clear text: {}",
                    seen.place
                ),
            ),
            ProvisioningStep::Asked => {
                (false, format!("{device} asks for its settings over {protocol}, in clear text"))
            }
            ProvisioningStep::Served => (
                false,
                format!("{device} was sent its settings over {protocol}: whoever listens has its passwords"),
            ),
        };
        let found = if of_office {
            Found::office(Check::ClearProvisioning, Severity::Warning, sighting.time, sentence)
        } else {
            Found::of(Check::ClearProvisioning, Severity::Warning, sighting, sentence)
        };
        out.push(
            found
                .about(&[seen.by.name().as_bytes()])
                .word("by", seen.by)
                .word("step", seen.step)
                .word("server", server)
                .word("place", seen.place),
        );
    }

    fn say(&self, _scene: &Scene<'_>, sight: Sight) -> Say {
        match self.encrypted {
            _ if !sight.home => Say::CannotSee(Blind::NoTraffic, String::new()),
            0 => Say::NotSeen("no handset fetched its settings; they do when they start".to_owned()),
            n => Say::Pass(format!("{} of settings, all encrypted", plural(n, "transfer"))),
        }
    }
}
