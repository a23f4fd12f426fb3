/* Photos are decoded, turned upright and made smaller here, before they travel. The server decodes
   whatever comes all over again. */
const pictures = (() => {
  const PAGE_EDGE = 2339; // pixels: the height of an A4 page at 200 points per inch
  const QUALITIES = [0.88, 0.8, 0.7, 0.6];

  /* Some browsers blur what a canvas gives back, against trackers: such a photo is not to be kept. */
  let honest;
  const isHonest = () => {
    if (honest !== undefined) return honest;
    const pen = canvas(2, 2).getContext("2d");
    pen.fillStyle = "#123456";
    pen.fillRect(0, 0, 2, 2);
    const [red, green, blue] = pen.getImageData(0, 0, 1, 1).data;
    honest = red === 0x12 && green === 0x34 && blue === 0x56;
    return honest;
  };

  function canvas(width, height) {
    const made = document.createElement("canvas");
    made.width = width;
    made.height = height;
    return made;
  }

  /* Null when this browser can't: HEIC outside Safari, a damaged file, too large for its memory. */
  const decode = async (file) => {
    try {
      return await createImageBitmap(file, { imageOrientation: "from-image" });
    } catch {
      return null;
    }
  };

  const draw = (image, longest) => {
    const scale = Math.min(1, longest / Math.max(image.width, image.height));
    const drawn = canvas(Math.max(1, Math.round(image.width * scale)), Math.max(1, Math.round(image.height * scale)));
    const pen = drawn.getContext("2d");
    pen.imageSmoothingQuality = "high";
    pen.fillStyle = "#fff"; // what is transparent would turn black
    pen.fillRect(0, 0, drawn.width, drawn.height);
    pen.drawImage(image, 0, 0, drawn.width, drawn.height);
    return drawn;
  };

  const toJpeg = (drawn, quality) =>
    new Promise((done) => { drawn.toBlob(done, "image/jpeg", quality); });

  /* A JPEG of at most `bytes`, as fine as it can be; null when there is none. */
  const shrink = async (file, image, { bytes, longest }) => {
    if (!image || !isHonest()) return null;
    for (let edge = longest; edge >= 700; edge = Math.round(edge * 0.8)) {
      const drawn = draw(image, edge);
      for (const quality of QUALITIES) {
        const blob = await toJpeg(drawn, quality);
        if (!blob) break; // more pixels than this browser's canvas has
        if (blob.size <= bytes) {
          return new File([blob], fileNames.withExtension(file.name, "jpg"), { type: "image/jpeg" });
        }
      }
    }
    return null;
  };

  /* Not an <img>: the site's policy lets no blob be shown. */
  const thumbnail = (image) => draw(image, 200);

  return { decode, shrink, thumbnail, PAGE_EDGE };
})();
