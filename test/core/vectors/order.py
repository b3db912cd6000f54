"""The order of core/order.ts once more; writes order.json beside itself."""
import hashlib
import json
import pathlib
import struct

MASK = 0xFFFFFFFF


def rotate(x, bits):
    return (x << bits | x >> (32 - bits)) & MASK


def half_sip_hash(key, message):
    """HalfSipHash-2-4 with 32 bits of output, for a message of any length."""
    k0, k1 = struct.unpack("<II", key)
    v = [k0, k1, 0x6C796765 ^ k0, 0x74656462 ^ k1]

    def rounds(count):
        for _ in range(count):
            v[0] = (v[0] + v[1]) & MASK
            v[1] = rotate(v[1], 5) ^ v[0]
            v[0] = rotate(v[0], 16)
            v[2] = (v[2] + v[3]) & MASK
            v[3] = rotate(v[3], 8) ^ v[2]
            v[0] = (v[0] + v[3]) & MASK
            v[3] = rotate(v[3], 7) ^ v[0]
            v[2] = (v[2] + v[1]) & MASK
            v[1] = rotate(v[1], 13) ^ v[2]
            v[2] = rotate(v[2], 16)

    whole = len(message) // 4 * 4
    last = message[whole:].ljust(3, b"\0") + bytes([len(message) & 0xFF])
    for (word,) in struct.iter_unpack("<I", message[:whole] + last):
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(4)
    return v[1] ^ v[3]


# The first vectors of HalfSipHash's authors (vectors.h, vectors_hsip32): key 00 01 … 07, messages of no byte, 00, 00 01, 00 01 02, …
KEY = bytes(range(8))
HASHES = [half_sip_hash(KEY, bytes(range(n))).to_bytes(4, "little").hex() for n in range(5)]
assert HASHES == ["a9359f5b", "27475ab8", "fa62a603", "8afee704", "2a6e4689"]


def order(seed, epoch, size):
    s = b"assay.order.v1\0" + struct.pack(">I", len(seed.encode())) + seed.encode() + struct.pack(">QQ", epoch, size)
    keys = hashlib.sha256(b"\0" + s).digest() + hashlib.sha256(b"\1" + s).digest()
    half = 4
    while 4**half < size:
        half += 1

    def permute(p):
        left, right = divmod(p, 2**half)
        for i in range(8):
            left, right = right, left ^ half_sip_hash(keys[8 * i : 8 * i + 8], struct.pack("<I", right)) % 2**half
        return left * 2**half + right

    def rank(p):
        p = permute(p)
        while p >= size:
            p = permute(p)
        return p

    return rank


vectors = []
KEYS = [("0", 0, 1), ("0", 0, 10), ("0", 1, 10), ("42", 0, 257), ("42", 3, 100_000), ("größe 🜚", 7, 2**32 + 1), ("", 2**40, 2**48)]
for seed, epoch, size in KEYS:
    positions = sorted({p for p in (0, 1, 2, 3, size // 3, size // 2, size - 2, size - 1) if 0 <= p < size})
    rank = order(seed, epoch, size)
    vectors.append({"seed": seed, "epoch": epoch, "size": size, "positions": positions, "ranks": [rank(p) for p in positions]})
pathlib.Path(__file__).with_name("order.json").write_text(json.dumps(vectors, indent=2) + "\n")
