import Crypto
import VitrineTensor

/// The SHA-256 of a file, in hexadecimal, read through a mapping a mebibyte at a time.
///
/// - Throws: `MappedFile.Failure` for a file that cannot be read or is empty.
public func sha256(ofFile path: String) throws(MappedFile.Failure) -> String {
    let file = try MappedFile(path: path)
    var hash = SHA256()
    for start in stride(from: 0, to: file.count, by: 1 << 20) {
        hash.update(data: file.bytes(start..<min(start + 1 << 20, file.count)))
    }
    return hexadecimal(hash.finalize())
}

/// The SHA-256 of bytes in memory, in hexadecimal.
public func sha256(of bytes: [UInt8]) -> String { hexadecimal(SHA256.hash(data: bytes)) }

private func hexadecimal(_ digest: SHA256.Digest) -> String {
    digest.map { byte in
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }.joined()
}
