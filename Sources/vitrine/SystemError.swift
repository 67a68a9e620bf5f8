import Foundation
import VitrineTensor

/// Foundation's errors in the system's words.
///
/// Code of ours reports files through `FileFailure`. What Foundation throws all the same ends here, so that its domains and numbers never
/// reach a reader.
enum SystemError {
    /// One line for any error.
    static func line(_ error: any Error) -> String {
        if let error = error as? DecodingError { return decoding(error) }
        guard isFoundations(error) else { return Printable.line("\(error)") }
        let bridged = error as NSError
        let path =
            bridged.userInfo[NSFilePathErrorKey] as? String ?? (bridged.userInfo[NSURLErrorKey] as? URL)?.path ?? "a file"
        let isReading = [4, 257, 259, 260, 261, 263, 264].contains(bridged.code) && bridged.domain == NSCocoaErrorDomain
        return Printable.line("\(FileFailure(path, isReading ? .read : .write, code: code(of: error) ?? EIO))")
    }

    private static func decoding(_ error: DecodingError) -> String {
        let (keys, reason): ([any CodingKey], String) =
            switch error {
            case .keyNotFound(let key, let context): (context.codingPath + [key], "is missing")
            case .typeMismatch(let type, let context): (context.codingPath, "is no \(type)")
            case .valueNotFound(let type, let context): (context.codingPath, "is null, a \(type) is needed")
            case .dataCorrupted(let context): (context.codingPath, context.debugDescription)
            @unknown default: ([], "cannot be decoded")
            }
        let place = keys.map(\.stringValue).joined(separator: ".")
        return Printable.line("JSON: \(place.isEmpty ? "the text" : place) \(reason); make the file again")
    }

    static func isFoundations(_ error: any Error) -> Bool {
        type(of: error) is NSError.Type || error is CocoaError || error is POSIXError || error is URLError
    }

    /// The system's error number, where one can be found.
    static func code(of error: any Error) -> Int32? {
        let bridged = error as NSError
        if bridged.domain == NSPOSIXErrorDomain { return Int32(exactly: bridged.code) }
        if let underlying = bridged.userInfo[NSUnderlyingErrorKey] as? any Error { return code(of: underlying) }
        guard bridged.domain == NSCocoaErrorDomain else { return nil }
        return switch CocoaError.Code(rawValue: bridged.code) {
        case .fileNoSuchFile, .fileReadNoSuchFile: ENOENT
        case .fileReadNoPermission, .fileWriteNoPermission: EACCES
        case .fileWriteFileExists: EEXIST
        case .fileWriteOutOfSpace: ENOSPC
        case .fileWriteVolumeReadOnly: EROFS
        case .fileReadInvalidFileName, .fileWriteInvalidFileName: ENAMETOOLONG
        default: nil
        }
    }
}
