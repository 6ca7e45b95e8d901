//! Sorted runs as the view of a whole zone that the check of one partition needs.

use dnssec_sign::{NameRef, Node, NodeList, ZoneView};
use zone_io::{Run, lookup, nodes_from};

/// Looks names up in runs; one for each worker.
pub(crate) struct RunsView<'r> {
    runs: &'r [Run],
    origin: NameRef<'r>,
    found: NodeList<'r>,
}

impl<'r> RunsView<'r> {
    pub(crate) fn new(runs: &'r [Run], origin: NameRef<'r>) -> Self {
        Self {
            runs,
            origin,
            found: NodeList::new(),
        }
    }
}

impl ZoneView for RunsView<'_> {
    fn node(&mut self, key: &[u8], look: &mut dyn FnMut(Option<Node<'_>>)) {
        self.found.clear();
        let found = lookup(self.runs, self.origin, key, &mut self.found);
        look(found.then(|| self.found.node(0)));
    }

    fn has_at_or_below(&mut self, key: &[u8]) -> bool {
        let mut nodes = nodes_from(self.runs, self.origin, key);
        nodes.next_node().is_some_and(|node| node.key.starts_with(key))
    }
}
