/// How a method's name, options included, stands in file names.
enum ConfiguredMethodFile {
    static func name(_ method: String) -> String {
        method.replacing(":", with: "_").replacing("=", with: "-").replacing(",", with: "_")
    }
}
