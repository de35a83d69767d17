"""Small image files of every number type, colour type and profile, and the sRGB colours that they hold.

    python3 -m venv venv && venv/bin/pip install pillow==13.0.0 numpy==2.4.6 tifffile==2026.3.3 imagecodecs==2026.3.6
    venv/bin/python scripts/reference/images.py

writes test/reference/images/*.png, *.tif, ... and test/reference/images/images.json. Each picture is twelve patches,
four in a row. The expected colours of lossless files come from the numbers that were put into them, through lcms2 in
double precision; those of JPEG, WebP and AVIF from Pillow's decoder, through the same lcms2. Nothing here knows the
library under test.

The ICC profiles are made here, of the smallest kind that has the property in question. Where a profile maps a colour
beyond sRGB, the expected colour is the clipped one.
"""

import io
import json
import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from PIL import Image, ImageCms

FOLDER = Path(__file__).parents[2] / 'test/reference/images'

# Twelve colours, 8 bits a channel: the cases of bug reports, the corners of the cube, greys and skin.
COLOURS = np.array(
    [
        [200, 80, 40], [255, 0, 0], [0, 255, 0], [0, 0, 255],
        [255, 255, 255], [0, 0, 0], [100, 100, 100], [20, 24, 30],
        [224, 172, 140], [30, 144, 90], [250, 240, 60], [96, 60, 180],
    ],
    np.float64,
).reshape(3, 4, 3) / 255  # fmt: skip
GREYS = np.array([0, 255, 100, 128, 10, 20, 40, 60, 150, 180, 210, 240], np.float64).reshape(3, 4, 1) / 255
ALPHA = np.array([255, 255, 255, 128, 0, 200, 255, 64, 255, 32, 250, 100], np.float64).reshape(3, 4, 1) / 255

entries = []


def expected(values, alpha=None):
    """Colours in [0,1], laid on white where alpha says so."""
    rgb = np.broadcast_to(np.clip(values, 0, 1), values.shape[:2] + (3,))
    if alpha is not None:
        rgb = 1 + alpha * (rgb - 1)
    return [round(float(v), 6) for v in rgb.reshape(-1)]


def add(name, data, rgb=None, *, alpha=None, block=1, tolerance=0.0, refused=None):
    """A file and what reading it must give: colours within `tolerance` levels of 255, or the code of an error."""
    (FOLDER / name).write_bytes(data)
    entry = {'file': name}
    if refused:
        entry['refused'] = refused
    else:
        entry |= {'block': block, 'tolerance': tolerance, 'rgb': expected(rgb, alpha)}
    entries.append(entry)


# Profiles


def s15(*values):
    return b''.join(struct.pack('>i', round(v * 65536)) for v in values)


def profile(space, pcs, tags, kind=b'mntr'):
    """An ICC profile, version 2.1."""
    tags = {
        'desc': b'desc\0\0\0\0' + struct.pack('>I', 5) + b'test\0' + bytes(78),
        'cprt': b'text\0\0\0\0CC0\0',
        'wtpt': b'XYZ \0\0\0\0' + s15(0.9642, 1, 0.8249),
        **tags,
    }
    start, table, body = 132 + 12 * len(tags), b'', b''
    for name, data in tags.items():
        body += bytes(-len(body) % 4)
        table += name.encode() + struct.pack('>II', start + len(body), len(data))
        body += data
    size = start + len(body)
    header = struct.pack('>I4sI4s4s4s12x4s', size, b'test', 0x02100000, kind, space, pcs, b'acsp')
    header += bytes(24) + struct.pack('>I', 0) + s15(0.9642, 1, 0.8249) + bytes(48)
    return header[:128].ljust(128, b'\0') + struct.pack('>I', len(tags)) + table + body


def gamma_curve(gamma):
    return b'curv\0\0\0\0' + struct.pack('>IH', 1, round(gamma * 256)) + b'\0\0'


def parametric_curve(*parameters):
    kind = {1: 0, 3: 1, 4: 2, 5: 3, 7: 4}[len(parameters)]
    return b'para\0\0\0\0' + struct.pack('>HH', kind, 0) + s15(*parameters)


def srgb_curve():
    x = np.linspace(0, 1, 256)
    y = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    return b'curv\0\0\0\0' + struct.pack('>I', len(y)) + np.round(y * 65535).astype('>u2').tobytes()


# Bradford's matrix, which adapts a white point to D50 (ICC.1:2001-04, annex E).
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def matrix_profile(primaries, white, curve):
    """RGB with these chromaticities (x, y) of red, green, blue and white, and one tone curve."""
    xyz = lambda xy: np.array([xy[0] / xy[1], 1, (1 - xy[0] - xy[1]) / xy[1]])
    columns = np.stack([xyz(p) for p in primaries], 1)
    scaled = columns * np.linalg.solve(columns, xyz(white))
    gain = (BRADFORD @ [0.9642, 1, 0.8249]) / (BRADFORD @ xyz(white))
    m = np.linalg.inv(BRADFORD) @ np.diag(gain) @ BRADFORD @ scaled
    tags = {f'{c}XYZ': b'XYZ \0\0\0\0' + s15(*m[:, i]) for i, c in enumerate('rgb')}
    return profile(b'RGB ', b'XYZ ', tags | {f'{c}TRC': curve for c in 'rgb'})


def table_profile(space, grid, function, kind):
    """A profile whose colours come from a table (lut16Type, to Lab), as those of printers and scanners do."""
    n = {b'RGB ': 3, b'CMYK': 4}[space]
    axes = np.meshgrid(*[np.linspace(0, 1, grid)] * n, indexing='ij')
    lab = function(np.stack([a.reshape(-1) for a in axes], 1))
    # Encoding of Lab in version 2: L of 100 is 0xFF00, a and b of 0 are 0x8000.
    encoded = np.clip(np.round(lab * [652.8, 256, 256] + [0, 32768, 32768]), 0, 65535).astype('>u2')
    line = struct.pack('>HH', 0, 65535)
    table = (
        b'mft2\0\0\0\0' + bytes([n, 3, grid, 0]) + s15(1, 0, 0, 0, 1, 0, 0, 0, 1) + struct.pack('>HH', 2, 2)
    )
    table += line * n + encoded.tobytes() + line * 3
    # Programs look for the way back too, before they accept a printer's profile.
    back = b'mft2\0\0\0\0' + bytes([3, n, 2, 0]) + s15(1, 0, 0, 0, 1, 0, 0, 0, 1) + struct.pack('>HH', 2, 2)
    back += line * 3 + bytes(8 * n * 2) + line * n
    return profile(space, b'Lab ', {'A2B0': table, 'B2A0': back}, kind)


def scanner(rgb):
    """A soft, warm device. All its colours lie within sRGB: lcms2's tables for 8 bits are coarse where it clips."""
    luminance = rgb @ [0.25, 0.6, 0.15]
    return np.stack([100 * luminance, 16 * (rgb[:, 0] - rgb[:, 1]), 14 * (rgb[:, 1] - rgb[:, 2])], 1)


def printer(cmyk):
    c, m, y, k = cmyk.T
    light = 100 * (1 - 0.25 * c) * (1 - 0.35 * m) * (1 - 0.08 * y) * (1 - 0.9 * k)
    fade = 1 - k
    return np.stack([light, fade * (-11 * c + 18 * m - 2 * y), fade * (-13 * c - 2 * m + 18 * y)], 1)


D65, D50 = (0.3127, 0.329), (0.3457, 0.3585)
PROFILES = {
    'srgb': matrix_profile([(0.64, 0.33), (0.3, 0.6), (0.15, 0.06)], D65, srgb_curve()),
    'adobe': matrix_profile([(0.64, 0.33), (0.21, 0.71), (0.15, 0.06)], D65, gamma_curve(563 / 256)),
    'p3': matrix_profile(
        [(0.68, 0.32), (0.265, 0.69), (0.15, 0.06)],
        D65,
        parametric_curve(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
    ),
    'prophoto': matrix_profile([(0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001)], D50, gamma_curve(1.8)),
    'scanner': table_profile(b'RGB ', 5, scanner, b'scnr'),
    'printer': table_profile(b'CMYK', 3, printer, b'prtr'),
    'gamma18': profile(b'GRAY', b'XYZ ', {'kTRC': gamma_curve(1.8)}),
}
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes()


def to_srgb(values, name):
    """Colours [3, 4, channels] in [0,1] of a profile as sRGB, by lcms2 in double precision."""
    if name is None:
        return values
    n = values.shape[2]
    space = {1: 'minisblack', 3: 'rgb', 4: 'cmyk'}[n]
    # lcms2 takes ink in percent where numbers are floats.
    scale = 100 if n == 4 else 1
    flat = np.ascontiguousarray(
        (values * scale).reshape(3, 4, n) if n > 1 else values[..., 0] * scale, np.float64
    )
    out = imagecodecs.cms_transform(
        flat,
        PROFILES[name],
        SRGB,
        colorspace=space,
        outcolorspace='rgb',
        outdtype='float64',
        intent=0,
    )
    return out.reshape(values.shape[:2] + (3,))


def check_against_pillow():
    """The two ways to lcms2 agree: Pillow's, in 8 bits, and that of to_srgb, in doubles."""
    for name, mode, values in [
        *[(p, 'RGB', COLOURS) for p in ['srgb', 'adobe', 'p3', 'prophoto', 'scanner']],
        ('printer', 'CMYK', CMYK),
        ('gamma18', 'L', GREYS),
    ]:
        levels = np.round(values * 255).astype(np.uint8)
        image = Image.fromarray(levels[..., 0] if mode == 'L' else levels, mode)
        transform = ImageCms.buildTransform(
            io.BytesIO(PROFILES[name]), io.BytesIO(SRGB), mode, 'RGB', ImageCms.Intent.PERCEPTUAL
        )
        eight = np.asarray(ImageCms.applyTransform(image, transform), np.float64)
        difference = np.abs(eight - 255 * np.clip(to_srgb(levels / 255, name), 0, 1)).max()
        assert difference < 1, (name, difference)


CMYK = np.concatenate([1 - COLOURS, np.linspace(0, 0.5, 12).reshape(3, 4, 1)], 2)
CMYK = np.round(CMYK * 255) / 255

# PNG


def quantised(values, bits):
    """Whole numbers of `bits` bits; those of 16 bits are not multiples of 257, so that 8 bits cannot hold them."""
    top = 2**bits - 1
    levels = np.round(values * top)
    if bits == 16:
        levels = np.clip(levels + np.arange(levels.size).reshape(levels.shape) % 200 - 100, 0, top)
    return levels.astype(np.uint16 if bits > 8 else np.uint8), top


def png(kind, bits, levels, icc=None, palette=None, transparent=None):
    """A PNG of colour type `kind` (0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA), no filters."""
    height, width = levels.shape[:2]
    rows = b''
    for row in levels.reshape(height, -1):
        if bits >= 8:
            rows += b'\0' + row.astype('>u2' if bits == 16 else 'u1').tobytes()
        else:
            digits = ''.join(format(v, f'0{bits}b') for v in row)
            digits += '0' * (-len(digits) % 8)
            rows += b'\0' + bytes(int(digits[i : i + 8], 2) for i in range(0, len(digits), 8))
    chunk = lambda name, data: (
        struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))
    )
    out = b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, bits, kind, 0, 0, 0))
    if icc:
        out += chunk(b'iCCP', b'test\0\0' + zlib.compress(icc, 9))
    if palette is not None:
        out += chunk(b'PLTE', palette.tobytes())
    if transparent is not None:
        out += chunk(b'tRNS', transparent)
    return out + chunk(b'IDAT', zlib.compress(rows, 9)) + chunk(b'IEND', b'')


def sixteen(bits):
    """Files of 16 bits are right up to the rounding of their profile's 16.16-bit numbers, others up to a level."""
    return 0.2 if bits == 16 else 1.01


def make_png():
    for bits in [1, 2, 4, 8, 16]:
        for icc in [None, 'gamma18']:
            levels, top = quantised(GREYS, bits)
            rgb = to_srgb(levels / top, icc)
            add(
                f'grey{bits}{icc and f"-{icc}" or ""}.png',
                png(0, bits, levels, PROFILES.get(icc)),
                rgb,
                tolerance=sixteen(bits),
            )
    for bits in [8, 16]:
        for icc in [None, 'srgb', 'adobe', 'p3', 'prophoto', 'scanner']:
            levels, top = quantised(COLOURS, bits)
            rgb = to_srgb(levels / top, icc)
            add(
                f'rgb{bits}{icc and f"-{icc}" or ""}.png',
                png(2, bits, levels, PROFILES.get(icc)),
                rgb,
                tolerance=sixteen(bits),
            )
        for icc in [None, 'gamma18']:
            levels, top = quantised(np.concatenate([GREYS, ALPHA], 2), bits)
            rgb, alpha = to_srgb(levels[..., :1] / top, icc), levels[..., 1:] / top
            add(
                f'grey{bits}-alpha{icc and f"-{icc}" or ""}.png',
                png(4, bits, levels, PROFILES.get(icc)),
                rgb,
                alpha=alpha,
                tolerance=sixteen(bits),
            )
        for icc in [None, 'adobe']:
            levels, top = quantised(np.concatenate([COLOURS, ALPHA], 2), bits)
            rgb, alpha = to_srgb(levels[..., :3] / top, icc), levels[..., 3:] / top
            add(
                f'rgb{bits}-alpha{icc and f"-{icc}" or ""}.png',
                png(6, bits, levels, PROFILES.get(icc)),
                rgb,
                alpha=alpha,
                tolerance=sixteen(bits),
            )
        # What is no profile, and a profile of another colour space, count as none: the colours are sRGB.
        levels, top = quantised(COLOURS, bits)
        for name, icc in [('broken', b'this is no profile' * 10), ('grey', PROFILES['gamma18'])]:
            add(
                f'rgb{bits}-{name}-profile.png',
                png(2, bits, levels, icc),
                levels / top,
                tolerance=sixteen(bits),
            )
        # One colour declared transparent: grey level 100, and pure green.
        levels, top = quantised(GREYS, 8)
        wide = levels.astype(np.uint16) * (257 if bits == 16 else 1)
        alpha = (levels != 100).astype(np.float64)
        add(
            f'grey{bits}-transparent.png',
            png(0, bits, wide, None, None, struct.pack('>H', 25700 if bits == 16 else 100)),
            levels / 255,
            alpha=alpha,
            tolerance=sixteen(bits),
        )
        levels, top = quantised(COLOURS, 8)
        wide = levels.astype(np.uint16) * (257 if bits == 16 else 1)
        alpha = 1 - (levels == [0, 255, 0]).all(2, keepdims=True).astype(np.float64)
        add(
            f'rgb{bits}-transparent.png',
            png(2, bits, wide, None, None, struct.pack('>HHH', 0, 65535 if bits == 16 else 255, 0)),
            levels / 255,
            alpha=alpha,
            tolerance=sixteen(bits),
        )
    palette = np.round(COLOURS.reshape(-1, 3) * 255).astype(np.uint8)
    for bits in [1, 2, 4, 8]:
        for icc in [None, 'adobe']:
            count = min(12, 2**bits)
            indices = (np.arange(12) % count).astype(np.uint8).reshape(3, 4)
            rgb = to_srgb(palette[indices] / 255, icc)
            add(
                f'palette{bits}{icc and f"-{icc}" or ""}.png',
                png(3, bits, indices, PROFILES.get(icc), palette[:count]),
                rgb,
                tolerance=1.01,
            )
    indices = np.arange(12, dtype=np.uint8).reshape(3, 4)
    levels = np.round(ALPHA * 255).astype(np.uint8)
    add(
        'palette8-alpha.png',
        png(3, 8, indices, None, palette, levels.tobytes()),
        palette[indices] / 255,
        alpha=levels / 255,
        tolerance=1.01,
    )


# TIFF


def tiff(array, icc=None, **options):
    buffer = io.BytesIO()
    options = {
        'photometric': 'rgb' if array.ndim == 3 and array.shape[2] >= 3 else 'minisblack',
        'metadata': None,
        **options,
    }
    extra = [(34675, 7, len(PROFILES[icc]), PROFILES[icc], True)] if icc else []
    with tifffile.TiffWriter(
        buffer, bigtiff=options.pop('bigtiff', False), byteorder=options.pop('byteorder', '<')
    ) as writer:
        writer.write(array, software=False, extratags=extra, **options)
    return buffer.getvalue()


def make_tiff():
    for bits in [8, 16]:
        for icc in [None, 'gamma18']:
            levels, top = quantised(GREYS, bits)
            add(
                f'grey{bits}{icc and f"-{icc}" or ""}.tif',
                tiff(levels[..., 0], icc),
                to_srgb(levels / top, icc),
                tolerance=sixteen(bits),
            )
        for icc in [None, 'adobe', 'prophoto']:
            levels, top = quantised(COLOURS, bits)
            add(
                f'rgb{bits}{icc and f"-{icc}" or ""}.tif',
                tiff(levels, icc),
                to_srgb(levels / top, icc),
                tolerance=sixteen(bits),
            )
        levels, top = quantised(GREYS, bits)
        add(
            f'grey{bits}-white-is-0.tif',
            tiff(top - levels[..., 0], photometric='miniswhite'),
            levels / top,
            tolerance=sixteen(bits),
        )
        levels, top = quantised(np.concatenate([GREYS, ALPHA], 2), bits)
        add(
            f'grey{bits}-alpha.tif',
            tiff(levels, photometric='minisblack', planarconfig='contig', extrasamples=['unassalpha']),
            levels[..., :1] / top,
            alpha=levels[..., 1:] / top,
            tolerance=sixteen(bits),
        )
        for icc in [None, 'adobe']:
            levels, top = quantised(np.concatenate([COLOURS, ALPHA], 2), bits)
            rgb, alpha = to_srgb(levels[..., :3] / top, icc), levels[..., 3:] / top
            add(
                f'rgb{bits}-alpha{icc and f"-{icc}" or ""}.tif',
                tiff(levels, icc, extrasamples=['unassalpha']),
                rgb,
                alpha=alpha,
                tolerance=sixteen(bits),
            )
        # Premultiplied: colours that were already multiplied by alpha.
        levels, top = quantised(np.concatenate([COLOURS * ALPHA, ALPHA], 2), 8)
        levels, top = (levels.astype(np.uint16) * 257, 65535) if bits == 16 else (levels, 255)
        add(
            f'rgb{bits}-premultiplied.tif',
            tiff(levels, extrasamples=['assocalpha']),
            np.clip(levels[..., :3] / top + 1 - levels[..., 3:] / top, 0, 1),
            tolerance=2.01,
        )
        for icc in [None, 'printer']:
            levels, top = quantised(CMYK, bits)
            if icc:
                add(
                    f'cmyk{bits}-{icc}.tif',
                    tiff(levels, icc, photometric='separated'),
                    to_srgb(levels / top, icc),
                    tolerance=1.01,
                )
            else:
                add(
                    f'cmyk{bits}.tif',
                    tiff(levels, photometric='separated'),
                    np.clip((1 - CMYK[..., :3]) * (1 - CMYK[..., 3:]), 0, 1),
                    tolerance=255,
                )
    levels, top = quantised(COLOURS, 16)
    add('rgb16-big-endian.tif', tiff(levels, byteorder='>'), levels / top, tolerance=0.1)
    add('rgb16-deflate.tif', tiff(levels, compression='zlib', predictor=True), levels / top, tolerance=0.1)
    add(
        'rgb16-planes.tif',
        tiff(np.ascontiguousarray(levels.transpose(2, 0, 1)), photometric='rgb', planarconfig='separate'),
        levels / top,
        tolerance=0.1,
    )
    add('rgb16-bigtiff.tif', tiff(levels, bigtiff=True), levels / top, tolerance=0.1)
    levels, top = quantised(COLOURS, 8)
    add('rgb8-lzw.tif', tiff(levels, compression='lzw'), levels / top, tolerance=1.01)
    add(
        'rgb8-tiles.tif',
        tiff(np.pad(levels, ((0, 13), (0, 12), (0, 0))), tile=(16, 16)),
        np.pad(levels, ((0, 13), (0, 12), (0, 0))) / top,
        tolerance=1.01,
    )
    palette = np.zeros((3, 256), np.uint16)
    palette[:, :12] = np.round(COLOURS.reshape(-1, 3).T * 255) * 257
    indices = np.arange(12, dtype=np.uint8).reshape(3, 4)
    add('palette8.tif', tiff(indices, photometric='palette', colormap=palette), levels / top, tolerance=1.01)
    ink = (GREYS[..., 0] > 0.4).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(ink * 255).convert('1').save(buffer, 'tiff')
    add('grey1.tif', buffer.getvalue(), ink[..., None].astype(np.float64), tolerance=0.01)
    jpeg = tiff(
        np.pad(levels, ((0, 13), (0, 12), (0, 0)), 'edge'),
        compression='jpeg',
        compressionargs={'level': 100},
        photometric='ycbcr',
        subsampling=(1, 1),
    )
    add(
        'rgb8-jpeg.tif',
        jpeg,
        np.asarray(Image.open(io.BytesIO(jpeg)).convert('RGB'), np.float64) / 255,
        tolerance=1.51,
    )
    for bits in [2, 4]:
        add(f'grey{bits}.tif', packed_tiff(bits), quantised(GREYS, bits)[0] / (2**bits - 1), tolerance=1.01)
    refused_tiffs()


def packed_tiff(bits):
    """Grey of less than 16 bits, which neither Pillow nor tifffile writes: one strip, the smallest set of tags."""
    levels, _ = quantised(GREYS, bits)
    digits = [''.join(format(v, f'0{bits}b') for v in row[:, 0]) for row in levels]
    data = b''.join(
        int(d.ljust(8 * -(-len(d) // 8), '0'), 2).to_bytes(-(-len(d) // 8), 'big') for d in digits
    )
    tags = [
        (256, 4),
        (257, 3),
        (258, bits),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, 3),
        (279, len(data)),
    ]
    body = b''.join(struct.pack('<HHII', tag, 3 if tag != 273 else 4, 1, value) for tag, value in tags)
    offset = 8 + len(data) + len(data) % 2
    return (
        struct.pack('<2sHI', b'II', 42, offset)
        + data.ljust(offset - 8, b'\0')
        + struct.pack('<H', len(tags))
        + body
        + bytes(4)
    )


def refused_tiffs():
    """Number types that say nothing about what is white, and more channels than a colour has."""
    for dtype in ['float16', 'float32', 'float64']:
        add(f'grey-{dtype}.tif', tiff(GREYS[..., 0].astype(dtype)), refused='UNSUPPORTED_FORMAT')
    add('rgb-float32.tif', tiff(COLOURS.astype(np.float32)), refused='UNSUPPORTED_FORMAT')
    for dtype in ['int8', 'int16', 'int32', 'uint32']:
        scale = np.iinfo(dtype).max
        add(f'grey-{dtype}.tif', tiff((GREYS[..., 0] * scale).astype(dtype)), refused='UNSUPPORTED_FORMAT')
        add(f'rgb-{dtype}.tif', tiff((COLOURS * scale).astype(dtype)), refused='UNSUPPORTED_FORMAT')
    add('grey-complex64.tif', tiff(GREYS[..., 0].astype(np.complex64)), refused='UNSUPPORTED_FORMAT')
    for bits in [10, 12, 14]:
        add(f'grey{bits}.tif', packed_tiff(bits), refused='UNSUPPORTED_FORMAT')
    for bits, dtype in [(8, np.uint8), (16, np.uint16)]:
        lab = np.full((3, 4, 3), 2 ** (bits - 1), dtype)
        add(f'lab{bits}.tif', tiff(lab, photometric='cielab'), refused='UNSUPPORTED_FORMAT')
    levels, _ = quantised(np.concatenate([COLOURS, ALPHA, ALPHA], 2), 8)
    add(
        'rgb8-five-channels.tif',
        tiff(levels, planarconfig='contig', extrasamples=['unspecified', 'unspecified']),
        refused='UNSUPPORTED_FORMAT',
    )
    levels, _ = quantised(np.concatenate([COLOURS] * 3, 2), 16)
    add(
        'rgb16-nine-channels.tif',
        tiff(levels, planarconfig='contig', extrasamples=['unspecified'] * 6),
        refused='UNSUPPORTED_FORMAT',
    )
    levels, _ = quantised(np.concatenate([GREYS] * 6, 2), 8)
    add(
        'grey8-six-channels.tif',
        tiff(levels, photometric='minisblack', planarconfig='contig', extrasamples=['unspecified'] * 5),
        refused='UNSUPPORTED_FORMAT',
    )


# JPEG, WebP, AVIF, GIF

BLOCK = 8


def enlarged(array):
    """Each pixel as a block, so that a lossy format has it in its middle as it was."""
    return np.kron(array, np.ones((BLOCK, BLOCK, 1), array.dtype))


def decoded(data, channels):
    """The middles of the blocks, as Pillow decodes them, in [0,1]."""
    array = np.asarray(Image.open(io.BytesIO(data)), np.float64)
    return array.reshape(3 * BLOCK, 4 * BLOCK, channels)[BLOCK // 2 :: BLOCK, BLOCK // 2 :: BLOCK] / 255


def save(levels, mode, format, **options):
    buffer = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(levels[..., 0] if mode == 'L' else levels), mode)
    image.save(buffer, format, **options)
    return buffer.getvalue()


def make_lossy():
    rgb = enlarged(quantised(COLOURS, 8)[0])
    grey = enlarged(quantised(GREYS, 8)[0])
    cmyk = enlarged(quantised(CMYK, 8)[0])
    rgba = enlarged(quantised(np.concatenate([COLOURS, ALPHA], 2), 8)[0])
    jpeg = {'quality': 100, 'subsampling': 0}
    for icc in [None, 'srgb', 'adobe', 'p3']:
        data = save(rgb, 'RGB', 'jpeg', icc_profile=PROFILES.get(icc, b''), **jpeg)
        add(
            f'rgb8{icc and f"-{icc}" or ""}.jpg',
            data,
            to_srgb(decoded(data, 3), icc),
            block=BLOCK,
            tolerance=1.51,
        )
    for icc in [None, 'gamma18']:
        data = save(grey, 'L', 'jpeg', icc_profile=PROFILES.get(icc, b''), quality=100)
        add(
            f'grey8{icc and f"-{icc}" or ""}.jpg',
            data,
            to_srgb(decoded(data, 1), icc),
            block=BLOCK,
            tolerance=1.51,
        )
    data = save(cmyk, 'CMYK', 'jpeg', icc_profile=PROFILES['printer'], **jpeg)
    add('cmyk8-printer.jpg', data, to_srgb(decoded(data, 4), 'printer'), block=BLOCK, tolerance=2.01)
    data = save(rgb, 'RGB', 'jpeg', progressive=True, **jpeg)
    add('rgb8-progressive.jpg', data, decoded(data, 3), block=BLOCK, tolerance=1.51)
    for icc in [None, 'adobe']:
        data = save(rgb, 'RGB', 'webp', lossless=True, icc_profile=PROFILES.get(icc, b''))
        add(
            f'rgb8{icc and f"-{icc}" or ""}.webp',
            data,
            to_srgb(decoded(data, 3), icc),
            block=BLOCK,
            tolerance=1.01,
        )
    data = save(rgba, 'RGBA', 'webp', lossless=True, exact=True)
    values = decoded(data, 4)
    add('rgb8-alpha.webp', data, values[..., :3], alpha=values[..., 3:], block=BLOCK, tolerance=1.01)
    # A profile that brings colours together, so that a level between two decoders stays one.
    for icc in [None, 'scanner']:
        data = save(rgb, 'RGB', 'avif', quality=100, subsampling='4:4:4', icc_profile=PROFILES.get(icc, b''))
        add(
            f'rgb8{icc and f"-{icc}" or ""}.avif',
            data,
            to_srgb(decoded(data, 3), icc),
            block=BLOCK,
            tolerance=2.01,
        )
    data = save(rgba, 'RGBA', 'avif', quality=100, subsampling='4:4:4')
    values = decoded(data, 4)
    add('rgb8-alpha.avif', data, values[..., :3], alpha=values[..., 3:], block=BLOCK, tolerance=2.01)
    for bits in [10, 12]:
        levels = np.round(enlarged(COLOURS) * (2**bits - 1)).astype(np.uint16)
        data = imagecodecs.avif_encode(levels, level=100, bitspersample=bits, pixelformat='yuv444')
        back = imagecodecs.avif_decode(data).astype(np.float64)[BLOCK // 2 :: BLOCK, BLOCK // 2 :: BLOCK]
        add(f'rgb{bits}.avif', data, back / (2**bits - 1), block=BLOCK, tolerance=1.01)
    palette = np.round(COLOURS.reshape(-1, 3) * 255).astype(np.uint8)
    image = Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4), 'P')
    image.putpalette(palette.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, 'gif')
    add('palette8.gif', buffer.getvalue(), palette.reshape(3, 4, 3) / 255, tolerance=1.01)
    buffer = io.BytesIO()
    image.save(buffer, 'gif', transparency=2)
    alpha = (np.arange(12).reshape(3, 4, 1) != 2).astype(np.float64)
    add(
        'palette8-transparent.gif',
        buffer.getvalue(),
        palette.reshape(3, 4, 3) / 255,
        alpha=alpha,
        tolerance=1.01,
    )
    other = Image.fromarray(np.zeros((3, 4), np.uint8), 'P')
    other.putpalette(palette.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, 'gif', save_all=True, append_images=[other])
    add('animated.gif', buffer.getvalue(), palette.reshape(3, 4, 3) / 255, tolerance=1.01)


if __name__ == '__main__':
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    check_against_pillow()
    make_png()
    make_tiff()
    make_lossy()
    lines = ',\n'.join(json.dumps(entry, separators=(',', ':')) for entry in entries)
    (FOLDER / 'images.json').write_text(f'[\n{lines}\n]\n')
    total = sum(file.stat().st_size for file in FOLDER.iterdir())
    print(f'{len(entries)} files, {total} bytes')
