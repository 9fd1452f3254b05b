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
///
/// Until somebody asks which entry is the oldest, loose chains only note which use was the latest of each:
/// a link then holds that number, and an entry's neighbours needn't be written.
#[derive(Debug)]
pub(super) struct Chains {
    links: Vec<Link>,
    chains: [Chain; 2],
    /// Of loose chains: how many uses there were.
    uses: Option<u64>,
}

impl Link {
    /// When its entry was used last, of loose chains; `u64::MAX` without an entry.
    const fn used(self) -> u64 {
        (self.older as u64) << 32 | self.newer as u64
    }

    #[expect(clippy::cast_possible_truncation, reason = "the two halves of one number")]
    const fn set_used(&mut self, use_no: u64) {
        (self.older, self.newer) = ((use_no >> 32) as u32, use_no as u32);
    }
}

impl Chains {
    pub(super) fn new(strangers: usize, protected: usize) -> Self {
        let empty = |capacity| Chain { oldest: NONE, newest: NONE, len: 0, capacity };
        Self { links: Vec::new(), chains: [empty(strangers), empty(protected)], uses: None }
    }

    /// The same, loose; only before anything is chained.
    pub(super) fn loosen(&mut self) {
        if self.links.is_empty() {
            self.uses = Some(0);
        }
    }

    pub(super) const fn are_loose(&self) -> bool {
        self.uses.is_some()
    }

    /// The entries of a partition in the order of their use.
    pub(super) fn in_order(&self, protected: bool) -> Vec<u32> {
        if self.uses.is_none() {
            let newer = |index: &u32| self.links.get(*index as usize).map(|link| link.newer);
            let oldest = self.chains[usize::from(protected)].oldest;
            let chain = std::iter::successors(Some(oldest), newer);
            return chain.take_while(|index| *index != NONE).collect();
        }
        let own = |link: &Link| link.protected == protected && link.used() != u64::MAX;
        let own = (0u32..).zip(&self.links).filter(|(_, link)| own(link));
        let mut order: Vec<(u64, u32)> = own.map(|(index, link)| (link.used(), index)).collect();
        order.sort_unstable();
        order.into_iter().map(|(_, index)| index).collect()
    }

    /// From now on they are chained.
    #[inline]
    pub(super) fn tighten(&mut self) {
        if self.uses.is_some() {
            self.chain_up();
        }
    }

    #[cold]
    fn chain_up(&mut self) {
        let orders = [false, true].map(|protected| self.in_order(protected));
        self.uses = None;
        for (chain, order) in self.chains.iter_mut().zip(&orders) {
            (chain.oldest, chain.newest, chain.len) = (NONE, NONE, 0);
            debug_assert!(order.len() <= chain.capacity);
        }
        for index in orders.into_iter().flatten() {
            self.link_newest(index);
        }
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
    #[inline]
    pub(super) fn used(&mut self, index: u32) {
        match &mut self.uses {
            None => self.used_last(index),
            Some(uses) => {
                *uses += 1;
                self.links[index as usize].set_used(*uses);
            }
        }
    }

    fn used_last(&mut self, index: u32) {
        let protected = self.links[index as usize].protected;
        if self.chains[usize::from(protected)].newest != index {
            self.unchain(index);
            self.link_newest(index);
        }
    }

    /// An entry goes.
    pub(super) fn leave(&mut self, index: u32) {
        if self.uses.is_none() {
            return self.unchain(index);
        }
        let link = &mut self.links[index as usize];
        link.set_used(u64::MAX);
        let chain = &mut self.chains[usize::from(link.protected)];
        chain.len = chain.len.saturating_sub(1);
    }

    #[inline]
    fn unchain(&mut self, index: u32) {
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

    #[inline]
    fn link_newest(&mut self, index: u32) {
        let link = &mut self.links[index as usize];
        let chain = &mut self.chains[usize::from(link.protected)];
        chain.len += 1;
        if let Some(uses) = &mut self.uses {
            *uses += 1;
            return link.set_used(*uses);
        }
        (link.older, link.newer) = (chain.newest, NONE);
        let older = std::mem::replace(&mut chain.newest, index);
        match self.links.get_mut(older as usize) {
            Some(older) => older.newer = index,
            None => chain.oldest = index,
        }
    }
}
