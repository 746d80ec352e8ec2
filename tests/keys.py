"""RSA keys for tests."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa

#: 2,048 bits. The private key was not kept.
RSA_PUBLIC_KEY = """\
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA19xouPWgI1TwCgt/s2Bn
r/JuN0lB8iFmaBWvMXpipcv/W7Y6Igouf+mvvSRJ+uKyZG1UuuwKUzsGODHtbF6V
CfjAUCtjUmp9Cf16Ahe3VKQ462aHlPOwvX9vnyPORjkvDubqq92vubotKW0igX8A
07xdohOI3HrBwxfqengKDEW+3otHwzyz2A9QFgNA9mPWevpKA8szRKxToC7dnff6
pWFh20P6aiKg5NMpsIeiUtWRodTzmhuPX+Js4mnO2CzGCj+l2ZpEqGQQ0O5BE4ns
6kRgn+0Bpoaq2UtJW0RB71B9kF1WddYFHNCmK/uft5Y7Vf4mYsTHRIRShNcVaCR2
AQIDAQAB
-----END PUBLIC KEY-----
"""
#: 512 bits.
WEAK_RSA_PUBLIC_KEY = """\
-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAMFupyfPFggE6w1vBsIPQXBw31hQ1XhD
2nR8MCz/789UBMMngo5LwhPK76ICLJwDY8E9B85joc3YccazHTsDdIECAwEAAQ==
-----END PUBLIC KEY-----
"""
#: 768 bits.
RSA_PUBLIC_KEY_768 = """\
-----BEGIN PUBLIC KEY-----
MHwwDQYJKoZIhvcNAQEBBQADawAwaAJhAKtdP4+x+gqpEnjz+rawUQsBezXI73jb
KgSThtHEJEUxmscvWV5i/FlRIunibtQC+/pRw0avFwtRSS0VE3N6A4cKyjERpP8c
+PaocgrFXEHsOj0Xp7k2qpMi+zWa7dZINwIDAQAB
-----END PUBLIC KEY-----
"""


@cache
def rsa_private_key(number: int = 0) -> rsa.RSAPrivateKey:
    """Return a key of 2,048 bits; the same for all tests of a process, because making one takes a while.

    Args:
        number: Tells keys from each other.
    """
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
