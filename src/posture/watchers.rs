//! Every check, in the order of the sheet, and what they know over a restart.
//!
//! In: nothing. Out: the checks, one after the other; `Memory`. Never: leaves one out.

use super::scene::Watcher;
use super::{
    backdoor_inbound, backdoor_outbound, brute_force, clear_provisioning, default_sip_password,
    default_web_password, digest_leak, enumeration, exposed_interface, idle_handset, lapsed_registration,
    new_device, opened_port, outdated_firmware, scanner, stranger_sip, unregistered_handset,
    unsolicited_inbound, weak_auth,
};

/// The checks.
#[derive(Debug, Default)]
pub struct Watchers {
    unsolicited_inbound: unsolicited_inbound::UnsolicitedInbound,
    stranger_sip: stranger_sip::StrangerSip,
    opened_port: opened_port::OpenedPort,
    backdoor_inbound: backdoor_inbound::BackdoorInbound,
    backdoor_outbound: backdoor_outbound::BackdoorOutbound,
    digest_leak: digest_leak::DigestLeak,
    default_sip_password: default_sip_password::DefaultSipPassword,
    default_web_password: default_web_password::DefaultWebPassword,
    weak_auth: weak_auth::WeakAuth,
    exposed_interface: exposed_interface::ExposedInterface,
    clear_provisioning: clear_provisioning::ClearProvisioning,
    outdated_firmware: outdated_firmware::OutdatedFirmware,
    idle_handset: idle_handset::IdleHandset,
    unregistered_handset: unregistered_handset::UnregisteredHandset,
    lapsed_registration: lapsed_registration::LapsedRegistration,
    scanner: scanner::Scanner,
    brute_force: brute_force::BruteForce,
    /// A search lasts a minute: over a restart it begins anew, so nothing of it is kept.
    enumeration: enumeration::Enumeration,
    new_device: new_device::NewDevice,
}

crate::kept! {
    /// What the checks knew before a restart.
    pub struct Memory of Watchers {
        unsolicited_inbound: unsolicited_inbound::UnsolicitedInbound,
        stranger_sip: stranger_sip::StrangerSip,
        opened_port: opened_port::OpenedPort,
        backdoor_inbound: backdoor_inbound::BackdoorInbound,
        backdoor_outbound: backdoor_outbound::BackdoorOutbound,
        digest_leak: digest_leak::DigestLeak,
        default_sip_password: default_sip_password::DefaultSipPassword,
        default_web_password: default_web_password::DefaultWebPassword,
        weak_auth: weak_auth::WeakAuth,
        exposed_interface: exposed_interface::ExposedInterface,
        clear_provisioning: clear_provisioning::ClearProvisioning,
        outdated_firmware: outdated_firmware::OutdatedFirmware,
        idle_handset: idle_handset::IdleHandset,
        unregistered_handset: unregistered_handset::UnregisteredHandset,
        lapsed_registration: lapsed_registration::LapsedRegistration,
        scanner: scanner::Scanner,
        brute_force: brute_force::BruteForce,
        new_device: new_device::NewDevice,
    }
}

/// All of them, in the order of the sheet.
macro_rules! each {
    ($self:ident, $($borrow:tt)+) => {
        [
            $($borrow)+ $self.unsolicited_inbound,
            $($borrow)+ $self.stranger_sip,
            $($borrow)+ $self.opened_port,
            $($borrow)+ $self.backdoor_inbound,
            $($borrow)+ $self.backdoor_outbound,
            $($borrow)+ $self.digest_leak,
            $($borrow)+ $self.default_sip_password,
            $($borrow)+ $self.default_web_password,
            $($borrow)+ $self.weak_auth,
            $($borrow)+ $self.exposed_interface,
            $($borrow)+ $self.clear_provisioning,
            $($borrow)+ $self.outdated_firmware,
            $($borrow)+ $self.idle_handset,
            $($borrow)+ $self.unregistered_handset,
            $($borrow)+ $self.lapsed_registration,
            $($borrow)+ $self.scanner,
            $($borrow)+ $self.brute_force,
            $($borrow)+ $self.enumeration,
            $($borrow)+ $self.new_device,
        ]
    };
}

impl Watchers {
    /// To read.
    pub fn all(&self) -> [&dyn Watcher; 19] {
        each!(self, &)
    }

    /// To tell.
    pub fn all_mut(&mut self) -> [&mut dyn Watcher; 19] {
        each!(self, &mut)
    }
}
