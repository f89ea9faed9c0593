"""The manifest of a dataset: what is known of each record of each version, and one hash over all of them.

In the order in which data go through them:

content.py     the hash of a record's content               rows.py      whole rows, for records without picture or text
facts.py       columns of a dataset -> columns of the sidecar
ids.py         where ids come from: a column, the paths of pictures, or the contents
scanning.py    a dataset -> rows of the sidecar, by id      sorting.py   records by id, however many
aligning.py    two streams by id -> which rows belong together
merging.py     the version before and the data now -> the next version
merkle.py      the tree of RFC 6962: roots and proofs       files.py     hashes of files, and the root over them
croissant.py   croissant.json                               stated.py    what a card states, for croissant.json
publishing.py  files that change together or not at all
writing.py     write_manifest: all of the above             records.py   what manifest.json holds

reading.py     open_manifest                                proving.py   that one record is in a version
comparing.py   what differs between two streams of rows     sides.py     the two that `diff` compares
rules.py       P1, P2                                       chains.py    whether the transforms of a record are closed
beside.py      the dataset beside its manifest, for both rules
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
