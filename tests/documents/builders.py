"""Files as families and attackers make them, built in memory."""

from base64 import b85decode
from io import BytesIO
from zlib import decompress

import pikepdf
from PIL import Image, ImageDraw

ORIENTATION = 0x0112
MAKE = 0x010F


def _picture(mode, size):
    """A red top-left corner on white, so that a rotation shows."""
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 2, size[1] // 2), fill="red")
    return image if mode == "RGB" else image.convert(mode)


def make_jpeg(size=(600, 800), exif_orientation=None, mode="RGB", **options) -> bytes:
    """A photo; `exif_orientation` is the EXIF tag (1 to 8), `options` those of Pillow's save."""
    if exif_orientation:
        exif = Image.Exif()
        exif[ORIENTATION], exif[MAKE] = exif_orientation, "Appareil de test"
        options["exif"] = exif
    written = BytesIO()
    _picture(mode, size).save(written, "JPEG", **options)
    return written.getvalue()


def make_mpo(size=(600, 800)) -> bytes:
    """Two JPEG in one file, as many phones write."""
    written = BytesIO()
    image = _picture("RGB", size)
    image.save(written, "MPO", save_all=True, append_images=[image.reduce(2)])
    return written.getvalue()


def make_png(size=(600, 800), mode="RGB", **options) -> bytes:
    """A PNG of any Pillow mode; `options` are those of Pillow's save."""
    image = Image.new(mode, size, 1000) if mode == "I;16" else _picture(mode, size)
    written = BytesIO()
    image.save(written, "PNG", **options)
    return written.getvalue()


def make_pdf(pages=1, title=None, change=None, **options) -> bytes:
    """A PDF of blank pages; `change(pdf)` adds to it, `options` are those of pikepdf's save."""
    with pikepdf.new() as pdf:
        for _ in range(pages):
            pdf.add_blank_page()
        if title:
            pdf.docinfo["/Title"] = title
        if change:
            change(pdf)
        written = BytesIO()
        pdf.save(written, **options)
        return written.getvalue()


def make_locked_pdf(user="", owner="secret") -> bytes:
    """An encrypted PDF: without a user password, only printing or copying is locked."""
    return make_pdf(encryption=pikepdf.Encryption(owner=owner, user=user))


OBJECTS = (
    b"1 0 2 40 " + b"<</Type/Catalog/Pages 2 0 R>>".ljust(40) + b"<</Type/Pages/Kids[]/Count 0>>"
)


def make_object_stream_pdf(stream, filters) -> bytes:
    """A PDF without pages whose objects lie in `stream`: OBJECTS, as written by `filters`.

    Object 5 is the name of a filter, for those who would hide it there.
    """
    pdf = b"%PDF-1.5\n"
    stream_at = len(pdf)
    pdf += b"3 0 obj\n<</Type/ObjStm/N 2/First 9/Filter %s" % filters
    pdf += b"/Length %d>>stream\n%s\nendstream\nendobj\n" % (len(stream), stream)
    name_at = len(pdf)
    pdf += b"5 0 obj\n/FlateDecode\nendobj\n"
    xref_at = len(pdf)
    kinds = [(0, 0, 255), (2, 3, 0), (2, 3, 1), (1, stream_at, 0), (1, xref_at, 0), (1, name_at, 0)]
    rows = b"".join(bytes([a]) + b.to_bytes(4, "big") + bytes([c]) for a, b, c in kinds)
    pdf += b"4 0 obj\n<</Type/XRef/Size 6/W[1 4 1]/Root 1 0 R/Length %d>>stream\n" % len(rows)
    return pdf + rows + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % xref_at


def lzw(content) -> bytes:
    """Write by LZW in its dullest form: the table is cleared before each byte, 9 bits a code."""
    codes = [code for byte in content for code in (256, byte)] + [257]
    bits = "".join(f"{code:09b}" for code in codes)
    bits = bits.ljust(-(-len(bits) // 8) * 8, "0")
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


# 800 × 600, red top-left corner on white, by libheif and x265: nothing here can encode HEIC.
HEIC = (
    b"c-muNV30{GsVvAy%}izhg51nBLl8SRGck>UfiWyMwIq=N0u(b+a*CjAhJwuG5(YG&l$nzcHpIn&fe{FSfUycf16ev"
    b"iLOC-tFAc&4Vo@L`l?lqrC`&d3G5HEIOLE~#u4NV!6#(h&nFY!DK)M2`%$boHBs2l6DCz^lpT9qTFfi~lCjfOwI56@"
    b"s{{IhBzzkBs3_?-6m>d#;lG;v;jA$|o*qj)qMdmG;H0#*|#RUf%7#MgOKoTuUK=te{j0cN0Bsl=B5l+s}DauREsQ?P|"
    b"GOz*FFo<Lp7o<Y`#;m}=z!U*w2oz*iWP(LFI5>cmcxFK^Eck#S!qUjZ%mQSY<fbG7Lyu8IgK<5#tDGU@V_9(-i<Do-4"
    b"qpHNi_iMUV}XkG)jk_tJ*rg{TDc}}YxbMX^>yd%Z#g^l)<`|m((B#4IQO4hpNHsD$wJ<>g|S<jwseOicPM~dUhS|V|E"
    b"Qyu<kJKu&n+MU?i-W2oIHRmW-$>Ee^Em_*!Qdl1sE7ubhy?1M1$A$O$chsWn?Q?V)-Rx(R;h#ppDhOIoG=mH5e&mAIg"
    b"#ld2v<V>GJs_E+XBt7c$KX02#m%;wdQfWZ9K~$(m*&M&XN$DxZVR<+XqYE(Eb1LE+wQK;ojw;X-Uj090p{5&"
)
# The same, stored upright and turned a quarter to the right by its header, as phones do.
TURNED_HEIC = (
    b"c-muNV30{GsVvAy%}izhg51nBLl8SRGck>UfpKAOYDppk1Sn>t<P<^K3<a6VB@Af5Br_);Y>0~k0}}%yh{bpmLIYVkK"
    b"rtX-`Un$YPyu3#%*?zrFb^av3go1Ml>yaclqDN7APF*pl(<%8f|c_XWR~PIKvgn4$Sf!-0MZ9C3zGAJbOlhaGb1xdXa"
    b"ZPK)CYz?e}DX7VBlv?0P2u%VB}%^{~x4)8Ki<4grasaIV1ulwVfCl(PS2|IWbI&%v&;P*0TqS3l20eFz_^hBwCVy>e*"
    b"cw4;F1masXN*oSdIil$V@S0TkwCU<0aQ5XmeqNQL;9Spn$F2p~hCAhRM9EW*LT0i-xHi}Fi=HZe$K7UaT$n~{N$wULR"
    b"Lr4`7Q$}CDvgNpMdrxYiH!x!jt#)#aML|{ZPYG^R7=XRAdWPB_uE@P4M>)65T|9|mW|9C7=vA)`8qpL@?ib5;b#BI%f"
    b"v$?+Ry!|a_r`{T=XIgr_n-}N)bL;aET`F0~yS6ZPOVgI_kmL>pkngG;R^%Ub)RKIfz~s3FB*1-RGMAGFki{$}0^%=fX"
    b"a|Q7>p=kq1{NJ|bwAPIb$t_p+Hx7$%9U7t30d^sE;wjowQtV#u0st*3fYIUBtl+Xm3O*){)mf6_w0pCvjRW{u!MLD3O"
    b"!kNC1A3qnTS#NBBRRZU~_pbpb-E;Y)4SIcN>tnXmYp^NErhgBoX=gGH3yL91M(%LLgaSc(Or)7yxBKqNV"
)


def make_heic(turned=False) -> bytes:
    """A photo as iPhones write it."""
    return decompress(b85decode(TURNED_HEIC if turned else HEIC))


def make_page(shade, size=(850, 1200), lines=40) -> bytes:
    """The photo of a page of writing, on paper of the colour `shade`."""
    image = Image.new("RGB", size, shade)
    pen = ImageDraw.Draw(image)
    for line in range(1, lines):
        top = line * size[1] // lines
        pen.line((size[0] // 8, top, size[0] * 7 // 8, top), fill="black", width=2)
    written = BytesIO()
    image.save(written, "JPEG", quality=90)
    return written.getvalue()


def make_grainy_photo(size=(3000, 4000), quality=95) -> bytes:
    """A photo that weighs much: paper under a poor light, all grain."""
    written = BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(written, "JPEG", quality=quality)
    return written.getvalue()
