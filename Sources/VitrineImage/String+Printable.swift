extension String {
    /// The text as it may be shown to a reader: control characters but tab and newline, and characters that turn the direction of what
    /// follows, are replaced by U+FFFD, so that a file's name can neither hide nor reorder its neighbours.
    public var printable: String {
        var out = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            switch scalar.value {
            case 0x09, 0x0A: out.append(scalar)
            case 0..<0x20, 0x7F...0x9F, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: out.append("\u{FFFD}")
            default: out.append(scalar)
            }
        }
        return String(out)
    }
}
