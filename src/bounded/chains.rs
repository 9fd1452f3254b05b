//! In which order the entries of a table were used.
//!
//! In: slots used, made, dropped. Out: the oldest of each partition.
//! Never: touches an entry: links stand apart from what they link, four to a cache line.

/// No slot.
pub(super) const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Chain {
    oldest: u32,
    newest: u32,
    len: usize,
    capacity: usize,
}

/// A slot's place in its chain, and what finds it in the map again without its key.
#[derive(Clone, Copy, Debug)]
struct Link {
    older: u32,
    newer: u32,
    hash: u32,
    protected: bool,
}

/// The chains of both partitions: strangers and protected entries.
#[derive(Debug)]
pub(super) struct Chains {
    links: Vec<Link>,
    chains: [Chain; 2],
}

impl Chains {
    pub(super) fn new(strangers: usize, protected: usize) -> Self {
        let empty = |capacity| Chain { oldest: NONE, newest: NONE, len: 0, capacity };
        Self { links: Vec::new(), chains: [empty(strangers), empty(protected)] }
    }

    /// Room for one more slot.
    pub(super) fn push(&mut self) {
        self.links.push(Link { older: NONE, newer: NONE, hash: 0, protected: false });
    }

    pub(super) const fn capacity(&self, protected: bool) -> usize {
        self.chains[protected as usize].capacity
    }

    pub(super) const fn is_full(&self, protected: bool) -> bool {
        self.chains[protected as usize].len >= self.chains[protected as usize].capacity
    }

    pub(super) const fn oldest(&self, protected: bool) -> u32 {
        self.chains[protected as usize].oldest
    }

    pub(super) fn newer(&self, index: u32) -> u32 {
        self.links.get(index as usize).map_or(NONE, |link| link.newer)
    }

    pub(super) fn hash(&self, index: u32) -> u32 {
        self.links[index as usize].hash
    }

    pub(super) fn is_protected(&self, index: u32) -> bool {
        self.links[index as usize].protected
    }

    /// A new entry, or one that changes its partition: the newest there.
    pub(super) fn enter(&mut self, index: u32, hash: u32, protected: bool) {
        let link = &mut self.links[index as usize];
        (link.hash, link.protected) = (hash, protected);
        self.link_newest(index);
    }

    /// An entry was used.
    pub(super) fn used(&mut self, index: u32) {
        let protected = self.links[index as usize].protected;
        if self.chains[usize::from(protected)].newest != index {
            self.leave(index);
            self.link_newest(index);
        }
    }

    /// An entry goes.
    pub(super) fn leave(&mut self, index: u32) {
        let Link { older, newer, protected, .. } = self.links[index as usize];
        let chain = &mut self.chains[usize::from(protected)];
        chain.len = chain.len.saturating_sub(1);
        if older == NONE {
            chain.oldest = newer;
        } else {
            self.links[older as usize].newer = newer;
        }
        if newer == NONE { chain.newest = older } else { self.links[newer as usize].older = older }
    }

    fn link_newest(&mut self, index: u32) {
        let chain = &mut self.chains[usize::from(self.links[index as usize].protected)];
        let older = chain.newest;
        chain.newest = index;
        chain.len += 1;
        if older == NONE {
            chain.oldest = index;
        } else {
            self.links[older as usize].newer = index;
        }
        let link = &mut self.links[index as usize];
        (link.older, link.newer) = (older, NONE);
    }
}
