//! Every check, in the order of the sheet, and what they know over a restart.
//!
//! In: nothing. Out: the checks, one after the other; `Memory`. Never: leaves one out.

use super::scene::{Found, Scene, Watcher};
use crate::fact::Fact;
use crate::time::Timestamp;

/// Makes the checks' state, what is kept of it, and the ways to all of them, from the one list below.
macro_rules! watchers {
    ($($module:ident :: $check:ident),* $(,)?) => {
        /// The checks.
        #[derive(Debug, Default)]
        pub struct Watchers {
            $($module: super::$module::$check,)*
        }

        crate::kept! {
            /// What the checks knew before a restart.
            pub struct Memory of Watchers {
                $($module: super::$module::$check,)*
            }
        }

        const COUNT: usize = [$(stringify!($module)),*].len();

        impl Watchers {
            /// To read.
            pub fn all(&self) -> [&dyn Watcher; COUNT] {
                [$(&self.$module),*]
            }

            /// To tell.
            pub fn all_mut(&mut self) -> [&mut dyn Watcher; COUNT] {
                [$(&mut self.$module),*]
            }

            /// A fact, to each in turn. By name, not through `all_mut`: most checks hear of most facts
            /// only to pass them over, which then costs next to nothing.
            pub fn hear(&mut self, fact: &Fact, scene: &Scene<'_>, out: &mut Vec<Found>) {
                match fact {
                    Fact::Sighting(sighting) => {
                        $(self.$module.sighting(sighting, scene, out);)*
                    }
                    Fact::Call(call) => {
                        $(self.$module.call(call, scene, out);)*
                    }
                    Fact::Registered { who, .. } => {
                        $(self.$module.registered(who, scene);)*
                    }
                    Fact::ClearSipDrop { .. } | Fact::Lossy { .. } => {}
                }
            }

            /// When the first of them wants to be called next.
            pub fn deadline(&self) -> Option<Timestamp> {
                let mut first = None;
                $(first = Timestamp::earlier(first, self.$module.deadline());)*
                first
            }
        }
    };
}

// In the order of the sheet.
watchers! {
    unsolicited_inbound::UnsolicitedInbound,
    stranger_sip::StrangerSip,
    opened_port::OpenedPort,
    backdoor_inbound::BackdoorInbound,
    backdoor_outbound::BackdoorOutbound,
    digest_leak::DigestLeak,
    default_sip_password::DefaultSipPassword,
    default_web_password::DefaultWebPassword,
    weak_auth::WeakAuth,
    exposed_interface::ExposedInterface,
    clear_provisioning::ClearProvisioning,
    outdated_firmware::OutdatedFirmware,
    idle_handset::IdleHandset,
    unregistered_handset::UnregisteredHandset,
    lapsed_registration::LapsedRegistration,
    scanner::Scanner,
    brute_force::BruteForce,
    enumeration::Enumeration,
    new_device::NewDevice,
}
