//! The provider's sheet: which line each check answers, and what the sheet advises.

use crate::finding::Check;
use crate::labels;

labels! {
    /// The lines of the provider's sheet on handset security.
    pub enum Section {
        Router = "router", "Router and firewall: nothing that nobody asked for gets in.";
        BackDoor = "back_door", "Remote access for support is no back door.";
        Passwords = "passwords", "Every password was changed, on each interface.";
        Interfaces = "interfaces", "Interfaces that nobody needs are off.";
        Firmware = "firmware", "The firmware is up to date.";
        Unused = "unused", "No unused handset is connected.";
        Intrusion = "intrusion", "Nobody is trying to get in.";
    }
}

impl Section {
    /// The line's heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Router => "Router and firewall",
            Self::BackDoor => "Back door",
            Self::Passwords => "Passwords",
            Self::Interfaces => "Interfaces",
            Self::Firmware => "Firmware",
            Self::Unused => "Unused handsets",
            Self::Intrusion => "Intrusion",
        }
    }
}

/// The line of the sheet that a check answers.
pub const fn section(check: Check) -> Section {
    match check {
        Check::UnsolicitedInbound | Check::StrangerSip | Check::OpenedPort => Section::Router,
        Check::BackdoorInbound | Check::BackdoorOutbound => Section::BackDoor,
        Check::DigestLeak | Check::DefaultSipPassword | Check::DefaultWebPassword | Check::WeakAuth => {
            Section::Passwords
        }
        Check::ExposedInterface | Check::ClearProvisioning => Section::Interfaces,
        Check::OutdatedFirmware => Section::Firmware,
        Check::IdleHandset | Check::UnregisteredHandset | Check::LapsedRegistration => Section::Unused,
        Check::Scanner | Check::BruteForce | Check::Enumeration | Check::NewDevice => Section::Intrusion,
    }
}

/// What to do about a finding, in one or two sentences.
pub const fn advice(check: Check) -> &'static str {
    match check {
        Check::UnsolicitedInbound => {
            "Use a stateful firewall, close every inbound port and port forward, and let in only the PBX's and the support provider's addresses."
        }
        Check::StrangerSip => {
            "Let the router drop SIP from anybody but the PBX, and let the handsets accept calls from their registrar only."
        }
        Check::OpenedPort => {
            "Switch UPnP, NAT-PMP and PCP off on the router and on the handsets, and remove the port forward."
        }
        Check::BackdoorInbound => {
            "Close the port on the router at once, change the handset's passwords, and allow the support provider's addresses only."
        }
        Check::BackdoorOutbound => {
            "Find out who set up the connection; if nobody did, reset the handset, update it and change its passwords."
        }
        Check::DigestLeak => {
            "Change this SIP password now, and let only the PBX's addresses reach the handset."
        }
        Check::DefaultSipPassword => {
            "Set a long random SIP password for this account, on the PBX and on the handset."
        }
        Check::DefaultWebPassword => {
            "Change the handset's administrator and user passwords, on each interface."
        }
        Check::WeakAuth => {
            "Use SIP over TLS and HTTPS, and SHA-256 digests where the PBX and the handset can."
        }
        Check::ExposedInterface => {
            "Switch the interface off if nobody needs it; else restrict it to the administrators' network."
        }
        Check::ClearProvisioning => {
            "Provision over HTTPS with certificates checked, and change the SIP passwords that were sent in clear text."
        }
        Check::OutdatedFirmware => {
            "Update the handset's firmware to the maker's current release, or replace a model that gets none."
        }
        Check::IdleHandset => {
            "If nobody needs the handset, reset it to factory settings, remove its account on the PBX and disconnect it; else mark it with keep = true."
        }
        Check::UnregisteredHandset => {
            "Reset the handset to factory settings before you disconnect it, or set it up properly."
        }
        Check::LapsedRegistration => {
            "Find out where the handset went; if it is out of use, reset it and remove its account on the PBX."
        }
        Check::Scanner => {
            "Block the source on the router; if it is inside the office, find the machine and take it off the network."
        }
        Check::BruteForce => {
            "Block the source, let the PBX ban addresses after a few refusals, and use long random SIP passwords."
        }
        Check::Enumeration => "Block the source, and let the PBX answer unknown and known extensions alike.",
        Check::NewDevice => {
            "Ask the account's user; if it wasn't them, change the SIP password and remove the registration on the PBX."
        }
    }
}
