import VitrineTensor

/// The names a pickle may mention. They are looked up in this table and nowhere else: no module is imported, no function is called.
///
/// A name that is not in the table stands for data that is never looked into, as long as it is not one of those that only an attack
/// or a mistake would put there; these are refused, so that their file is not mistaken for a good one.
struct PickleGlobal: Equatable {
    enum Role: Equatable {
        /// `torch._utils._rebuild_tensor_v2` and `_v3`, which differ in where the element type stands.
        case rebuildTensor(hasType: Bool)
        /// `torch._utils._rebuild_parameter` and `_rebuild_parameter_with_state`: the first argument is the tensor.
        case rebuildParameter
        /// `torch._tensor._rebuild_from_type_v2`: a tensor with Python attributes.
        case rebuildFromType
        /// The class of a storage; `nil` for untyped bytes.
        case storage(ElementType?)
        case elementType(ElementType?)
        /// A class whose instances are dictionaries.
        case dictionary
        /// A class whose one argument is a sequence that stands for the instance.
        case sequence
        case set
        /// `_codecs.encode`, by which protocol 2 spells bytes.
        case encode
        /// `numpy.core.multiarray.scalar`.
        case numpyScalar
        /// A class whose instances are kept as data and never interpreted.
        case data
        /// A class or function that is not in the table; what it would make is kept as data.
        case unknown
    }

    /// Module and name, as in `collections.OrderedDict`.
    let name: String
    let role: Role

    /// - Throws: `PickleFault.forbidden` for a name that no data needs.
    static func lookUp(_ module: String, _ name: String, byte: Int) throws(PickleFault) -> PickleGlobal {
        let full = "\(module).\(name)"
        if let role = roles[full] { return PickleGlobal(name: full, role: role) }
        let root = module.split(separator: ".").first.map(String.init) ?? module
        // Names with dots inside reach through modules; PyTorch's own rebuilding functions make tensors of kinds that are not read.
        guard !forbiddenModules.contains(root), !name.contains("."), !module.isEmpty, module != "torch._utils", module != "torch.storage",
            module != "torch._tensor", !module.hasPrefix("torch.hub"), !module.hasPrefix("torch.jit")
        else { throw .forbidden(name: full, byte: byte) }
        return PickleGlobal(name: full, role: .unknown)
    }

    /// Modules of which data needs nothing but what stands in the table.
    private static let forbiddenModules: Set<String> = [
        "builtins", "__builtin__", "os", "posix", "nt", "posixpath", "subprocess", "sys", "runpy", "importlib", "shutil", "socket",
        "pickle",
        "_pickle", "cPickle", "dill", "cloudpickle", "ctypes", "pty", "code", "codeop", "webbrowser", "timeit", "commands", "popen2",
        "operator", "multiprocessing", "asyncio", "threading", "signal", "tempfile", "urllib", "http", "requests", "pip", "site", "bdb",
        "pdb", "cProfile", "profile", "trace", "doctest", "marshal", "types", "inspect", "linecache", "io", "_io", "nturl2path", "platform",
    ]

    private static let roles: [String: Role] = {
        var roles: [String: Role] = [
            "torch._utils._rebuild_tensor_v2": .rebuildTensor(hasType: false),
            "torch._utils._rebuild_tensor_v3": .rebuildTensor(hasType: true),
            "torch._utils._rebuild_parameter": .rebuildParameter,
            "torch._utils._rebuild_parameter_with_state": .rebuildParameter,
            "torch._tensor._rebuild_from_type_v2": .rebuildFromType,
            "torch.storage.UntypedStorage": .storage(nil),
            "torch.UntypedStorage": .storage(nil),
            "torch.Size": .sequence,
            "_codecs.encode": .encode,
        ]
        let storages: [(String, ElementType)] = [
            ("Float", .float32), ("Half", .float16), ("BFloat16", .bfloat16), ("Double", .float64), ("Long", .int64), ("Int", .int32),
            ("Short", .int16), ("Char", .int8), ("Byte", .uint8), ("Bool", .bool),
        ]
        for (name, type) in storages { roles["torch.\(name)Storage"] = .storage(type) }
        for type in ElementType.allCases { roles["torch.\(type)"] = .elementType(type) }
        for name in ["complex64", "complex128", "float8_e4m3fn", "float8_e5m2"] { roles["torch.\(name)"] = .elementType(nil) }
        for name in [
            "collections.OrderedDict", "collections.defaultdict", "collections.Counter", "easydict.EasyDict", "yacs.config.CfgNode",
            "pytorch_lightning.utilities.parsing.AttributeDict", "lightning_fabric.utilities.data.AttributeDict",
            "lightning.fabric.utilities.data.AttributeDict", "builtins.dict", "__builtin__.dict",
        ] { roles[name] = .dictionary }
        for module in ["builtins", "__builtin__"] {
            for name in ["set", "frozenset"] { roles["\(module).\(name)"] = .set }
            for name in ["list", "tuple"] { roles["\(module).\(name)"] = .sequence }
            for name in [
                "int", "long", "float", "str", "unicode", "bool", "bytes", "bytearray", "complex", "slice", "range", "xrange", "object",
                "type",
            ] {
                roles["\(module).\(name)"] = .data
            }
        }
        for module in ["numpy.core.multiarray", "numpy._core.multiarray"] {
            roles["\(module).scalar"] = .numpyScalar
            roles["\(module)._reconstruct"] = .data
        }
        for name in [
            "argparse.Namespace", "types.SimpleNamespace", "torch.device", "torch.Tensor", "torch.nn.parameter.Parameter",
            "torch.torch_version.TorchVersion", "torch.strided", "numpy.dtype", "numpy.ndarray", "datetime.datetime", "datetime.date",
            "datetime.timedelta", "pathlib.Path", "pathlib.PosixPath", "pathlib.PurePosixPath", "pathlib.WindowsPath",
            "pathlib.PureWindowsPath", "pathlib._local.PosixPath", "pathlib._local.PurePosixPath", "pathlib._local.WindowsPath",
            "pathlib._local.PureWindowsPath", "omegaconf.dictconfig.DictConfig", "omegaconf.listconfig.ListConfig",
            "omegaconf.base.ContainerMetadata", "omegaconf.base.Metadata", "omegaconf.nodes.AnyNode", "typing.Any",
        ] { roles[name] = .data }
        return roles
    }()
}
