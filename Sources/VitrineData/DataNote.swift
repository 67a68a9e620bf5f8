/// Something that a reader of data should know: one line, naming files.
public struct DataNote: Sendable, Equatable, CustomStringConvertible {
    /// Something that was there was not used: commands say so even when they are to be quiet, and end with exit code 3.
    public let isLoss: Bool
    public let text: String
    public var description: String { text }

    /// What was left out, and may have been wanted.
    public static func loss(_ text: String) -> DataNote { DataNote(isLoss: true, text: text) }
    /// What was understood, and how.
    public static func remark(_ text: String) -> DataNote { DataNote(isLoss: false, text: text) }
}
