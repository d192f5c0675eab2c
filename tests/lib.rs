//! The tests of the whole: a package of their own, so that the connector's own tests build without the host.
