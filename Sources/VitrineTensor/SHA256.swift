import COpenSSL

/// SHA-256 (FIPS 180-4), by OpenSSL's libcrypto: fed piece by piece.
@safe public struct SHA256: ~Copyable {
    // SAFETY: created in `init`, freed in `deinit`; a non-copyable value has one owner.
    private let context: OpaquePointer

    public init() {
        // SAFETY: libcrypto returns a fresh context, or nil when memory is short.
        guard let context = unsafe EVP_MD_CTX_new(), unsafe EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            fatalError("libcrypto offers no SHA-256")
        }
        unsafe self.context = context
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    public mutating func update(_ bytes: [UInt8]) {
        // SAFETY: the array is valid for its count during the call.
        unsafe bytes.withUnsafeBytes { buffer in _ = unsafe EVP_DigestUpdate(context, buffer.baseAddress, buffer.count) }
    }

    /// The digest of all that was fed, in hexadecimal; ends the computation.
    public consuming func hexadecimal() -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        // SAFETY: SHA-256 writes 32 bytes.
        unsafe _ = EVP_DigestFinal_ex(context, &digest, nil)
        return digest.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}

/// The SHA-256 of bytes in memory, in hexadecimal.
public func sha256(of bytes: [UInt8]) -> String {
    var hash = SHA256()
    hash.update(bytes)
    return hash.hexadecimal()
}

/// The SHA-256 of a file, in hexadecimal, read through a mapping a mebibyte at a time.
///
/// - Throws: `MappedFile.Failure` for a file that cannot be read or is empty.
public func sha256(ofFile path: String) throws(MappedFile.Failure) -> String {
    let file = try MappedFile(path: path)
    var hash = SHA256()
    for start in stride(from: 0, to: file.count, by: 1 << 20) { hash.update(file.bytes(start..<min(start + 1 << 20, file.count))) }
    return hash.hexadecimal()
}
