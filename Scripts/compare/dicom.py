"""`vitrine data show` against pydicom on all files that pydicom and pydicom-data bring: values as stored, and 8-bit pictures.

  python Scripts/compare/dicom.py .build/release/vitrine

Needs the packages of Scripts/requirements.txt, pylibjpeg and its three plugins among them, so that pydicom decodes everything it can.
More folders or files may follow. Per file one line: what both read, the largest difference of stored values and of grey levels over the
first, the middle and the last frame. Lossless encodings must differ by nothing, in values and in pictures.

Tolerances. JPEG, lossy: decoders may round the inverse cosine transform differently (1 level stored), and colours at half resolution are
interpolated by some and repeated by others, so a stored chroma may differ by as much as neighbouring samples do; such files are judged by
their mean difference. YBR becomes RGB by the same formula on both sides; a step of chroma is up to 1.772 levels. JPEG 2000, irreversible:
the wavelet's floating-point sums may round differently, 1 stored.
"""

import argparse
import collections
import copy
import importlib.util
import logging
import pathlib
import signal
import subprocess
import tempfile
import warnings

import numpy as np
import pydicom
from PIL import Image
from pydicom.pixels import pixel_array
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut, convert_color_space

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("vitrine", help="the built program")
parser.add_argument("more", nargs="*", type=pathlib.Path, help="further DICOM files, or folders of them")
parser.add_argument("--all", action="store_true", help="also list files without pixels that both sides refuse")
arguments = parser.parse_args()

LOSSY_JPEG = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"}
# Largest differences of stored values and of grey levels; and the mean difference of levels that is allowed instead for halved chroma.
EXACT, TRANSFORM = (0, 0), (1, 3)
HALVED_CHROMA_MEAN = 2.0


def files():
    roots = [pathlib.Path(pydicom.__file__).parent / "data", pathlib.Path(importlib.util.find_spec("data_store").origin).parent]
    found = [p for root in roots for p in root.rglob("*") if p.is_file() and (p.suffix.lower() == ".dcm" or not p.suffix)]
    for path in arguments.more:
        found += [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
    return sorted(set(found))


def read(path):
    ds = pydicom.dcmread(path, force=True)
    if not getattr(ds, "file_meta", None) or "TransferSyntaxUID" not in ds.file_meta:
        implicit, little = ds.original_encoding
        ds.file_meta = getattr(ds, "file_meta", None) or pydicom.dataset.FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = (
            pydicom.uid.ImplicitVRLittleEndian if implicit else
            pydicom.uid.ExplicitVRLittleEndian if little else pydicom.uid.ExplicitVRBigEndian)
    return ds


def view_of(ds, frame):
    """The data set with the functional groups of a frame brought up to where pydicom looks for them."""
    view = pydicom.Dataset()
    view.update({k: v for k, v in ds.items() if k.group in (0x0028,)})
    view.file_meta = ds.file_meta
    shared = ds.get("SharedFunctionalGroupsSequence") or []
    own = ds.get("PerFrameFunctionalGroupsSequence") or []
    for group in [*shared[:1], *own[frame:frame + 1]]:
        for macro in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
            if group.get(macro):
                view.update(group[macro].value[0])
    return view


def extremes(view):
    """The range of values that pydicom maps a window to, or that a picture without one spans; None for that of the frame."""
    bits, signed = view.BitsStored, view.PixelRepresentation == 1
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    if view.get("VOILUTSequence"):
        return 0, 2 ** view.VOILUTSequence[0].LUTDescriptor[2] - 1
    slope, intercept = float(view.get("RescaleSlope", 1) or 1), float(view.get("RescaleIntercept", 0) or 0)
    if "WindowCenter" in view and "WindowWidth" in view:
        if view.get("ModalityLUTSequence"):
            return 0, 2 ** view.ModalityLUTSequence[0].LUTDescriptor[2] - 1
        return low * slope + intercept, high * slope + intercept
    return (low, high) if bits <= 8 and (slope, intercept) == (1, 0) and not view.get("ModalityLUTSequence") else None


def picture(values, ds, frame):
    """The 8-bit picture of a frame by pydicom's functions, scaled and rounded half up; what vitrine declares to do."""
    view, kind = view_of(ds, frame), ds.PhotometricInterpretation
    if kind.startswith("MONOCHROME"):
        shown = np.asarray(apply_voi_lut(apply_modality_lut(values, view), view), np.float64)
        low, high = extremes(view) or (shown.min(), shown.max())
        if high == low:
            return np.zeros(shown.shape, np.uint8)
        grey = np.floor(np.clip((shown - low) / (high - low), 0, 1) * 255 + 0.5).astype(np.uint8)
        return 255 - grey if kind == "MONOCHROME1" else grey
    if kind == "PALETTE COLOR":
        if not ds.file_meta.TransferSyntaxUID.is_little_endian:
            # apply_color_lut takes plain tables for little-endian, whatever the file's order is (segmented ones it reads right).
            ds = copy.deepcopy(ds)
            for element in [e for e in ds if e.keyword.endswith("PaletteColorLookupTableData") and not e.keyword.startswith("Segmented")]:
                element.value = np.frombuffer(element.value, ">u2").astype("<u2").tobytes()
        colours = apply_color_lut(values, ds)[..., :3]
        return (colours >> (8 * (colours.dtype.itemsize - 1))).astype(np.uint8)
    eight = (values >> (ds.BitsStored - 8)).astype(np.uint8)
    return convert_color_space(eight, "YBR_FULL", "RGB") if kind.startswith("YBR_FULL") else eight


def ours(path, frame, folder):
    """(values, picture, error) of a frame; a negative exit code is a crash."""
    values, image = folder / "values.npy", folder / "image.png"
    for old in (values, image):
        old.unlink(missing_ok=True)
    command = [arguments.vitrine, "data", "show", path, "--frame", str(frame), "--values", values, "--image", image]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode < 0:
        return None, None, f"CRASH {signal.Signals(-run.returncode).name}"
    if run.returncode != 0:
        lines = run.stderr.strip().splitlines()
        return None, None, lines[0].replace(str(path) + ": ", "") if len(lines) == 1 else f"NOT ONE LINE: {lines}"
    return np.load(values), np.asarray(Image.open(image)), None


def compare(path, folder):
    """(verdict, text) of a file."""
    error = None
    try:
        ds = read(path)
        theirs = pixel_array(ds, raw=True)
        frames = int(ds.get("NumberOfFrames", 1) or 1)
    except Exception as reason:
        error, frames = type(reason).__name__, 1
    notes, worst, verdict = [], [0, 0, 0.0], "equal"
    for frame in sorted({0, frames // 2, frames - 1}):
        values, image, refusal = ours(path, frame, folder)
        if refusal and "CRASH" in refusal or refusal and "NOT ONE LINE" in refusal:
            return "fault", refusal
        if error or refusal:
            return ("neither" if error and refusal else "only vitrine" if error else "only pydicom"), refusal or f"pydicom: {error}"
        want = theirs[frame] if frames > 1 else theirs
        if values.shape != want.shape:
            return "different", f"shape {values.shape} instead of {want.shape}"
        reference = picture(want, ds, frame)
        if image.shape != reference.shape:
            return "different", f"picture {image.shape} instead of {reference.shape}"
        levels = np.abs(image.astype(int) - reference.astype(int))
        worst[0] = max(worst[0], int(np.abs(values.astype(np.int64) - want.astype(np.int64)).max()))
        worst[1] = max(worst[1], int(levels.max()))
        worst[2] = max(worst[2], float(levels.mean()))
    syntax = ds.file_meta.TransferSyntaxUID
    stored, grey = TRANSFORM if syntax in LOSSY_JPEG or syntax == pydicom.uid.JPEG2000 else EXACT
    if worst[0] > stored or worst[1] > grey:
        verdict = "close" if syntax in LOSSY_JPEG and worst[2] <= HALVED_CHROMA_MEAN else "different"
    notes.append(f"stored {worst[0]}, levels {worst[1]} (mean {worst[2]:.3f})")
    return verdict, f"{syntax.name[:34]:36s}{ds.PhotometricInterpretation:14s}" + ", ".join(notes)


def main():
    counts = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        for path in files():
            verdict, text = compare(path, pathlib.Path(folder))
            counts[verdict] += 1
            if verdict != "neither" or arguments.all or "holds no image" not in text and "not a DICOM" not in text:
                print(f"{verdict:13s}{path.parent.name + '/' + path.name:62s}{text}", flush=True)
    decoded = counts["equal"] + counts["close"] + counts["different"] + counts["only vitrine"]
    print(f"\n{sum(counts.values())} files: {decoded} decoded; {dict(sorted(counts.items()))}")
    raise SystemExit(1 if counts["fault"] or counts["different"] else 0)


main()
