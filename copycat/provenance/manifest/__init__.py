"""The manifest of a dataset: what is known of each record of each version, and one hash over all of them.

merkle.py      the tree of RFC 6962: roots and proofs       content.py   the hash of a record's content
files.py       hashes of files, and the root over them      facts.py     columns of a dataset -> columns of the sidecar
sorting.py     records by id, however many                  scanning.py  a dataset -> rows of the sidecar, by id
aligning.py    two streams by id -> which rows belong together
merging.py     the version before and the data now -> the next version
publishing.py  files that change together or not at all
writing.py     write_manifest                               reading.py   open_manifest
croissant.py   croissant.json                               comparing.py what differs between two versions or datasets
rules.py       P1, P2
"""

from copycat.provenance.manifest.content import record_sha256
from copycat.provenance.manifest.files import FileHash, tree_root
from copycat.provenance.manifest.merkle import Merkle, Proof, merkle_root, prove, proves
from copycat.provenance.manifest.reading import Manifest, has_manifest, open_manifest, open_sidecar
from copycat.provenance.manifest.records import ManifestFile, Version
from copycat.provenance.manifest.writing import Order, Written, write_manifest

__all__ = [
    "FileHash",
    "Manifest",
    "ManifestFile",
    "Merkle",
    "Order",
    "Proof",
    "Version",
    "Written",
    "has_manifest",
    "merkle_root",
    "open_manifest",
    "open_sidecar",
    "prove",
    "proves",
    "record_sha256",
    "tree_root",
    "write_manifest",
]
