//! From messages to calls.
//!
//! In: messages with their paths. Out: call events, once each.
//! Never: counts a packet.
