/// A number with three significant digits, in powers of ten where it is below a thousandth or above ten thousand.
func axisLabel(_ value: Float) -> String {
    guard value.isFinite else { return "\(value)" }
    guard value != 0 else { return "0" }
    let sign = value < 0 ? "-" : ""
    var mantissa = Double(abs(value))
    var exponent = 0
    while mantissa >= 10 {
        mantissa /= 10
        exponent += 1
    }
    while mantissa < 1 {
        mantissa *= 10
        exponent -= 1
    }
    // Three digits as an integer from 100 to 999.
    var digits = Int((mantissa * 100).rounded())
    if digits == 1000 { (digits, exponent) = (100, exponent + 1) }
    var text = String(digits)
    func trimmed(_ text: String) -> String {
        guard text.contains(".") else { return text }
        var text = text
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }
    switch exponent {
    case 0...2:
        text.insert(".", at: text.index(text.startIndex, offsetBy: exponent + 1))
        return sign + trimmed(text)
    case 3: return sign + text + "0"
    case -3 ... -1: return sign + trimmed("0." + String(repeating: "0", count: -exponent - 1) + text)
    default:
        text.insert(".", at: text.index(after: text.startIndex))
        return "\(sign)\(trimmed(text))e\(exponent)"
    }
}
