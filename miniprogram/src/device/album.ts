import type { Picture } from "./upload";

/** Let the person take or choose one picture; null if they changed their mind. WeChat's privacy consent comes first. */
export function choosePicture(source: "camera" | "album"): Promise<Picture | null> {
  return new Promise((resolve) => {
    // #ifdef MP-WEIXIN
    uni.chooseMedia({
      count: 1,
      mediaType: ["image"],
      sourceType: [source],
      camera: "front",
      sizeType: ["original"],
      success: ({ tempFiles }) => resolve(tempFiles[0] ? { path: tempFiles[0].tempFilePath } : null),
      fail: () => resolve(null),
    });
    // #endif
    // #ifndef MP-WEIXIN
    uni.chooseImage({
      count: 1,
      sourceType: [source],
      sizeType: ["original"],
      success: ({ tempFilePaths, tempFiles }) => {
        const path = tempFilePaths[0];
        const file = (Array.isArray(tempFiles) ? tempFiles : [tempFiles])[0];
        if (path === undefined) return resolve(null);
        // #ifdef H5
        resolve({ path, file: file as File });
        // #endif
        // #ifndef H5
        resolve({ path });
        // #endif
      },
      fail: () => resolve(null),
    });
    // #endif
  });
}

/** How large a picture is; 0 where the phone cannot say. */
export function bytesOf({ path, file }: Picture): Promise<number> {
  if (file) return Promise.resolve(file.size);
  return new Promise((resolve) => uni.getFileInfo({ filePath: path, success: ({ size }) => resolve(size), fail: () => resolve(0) }));
}

const QUALITIES = [80, 60, 40, 20];
const WIDTH = 600;

/** The picture with at most `maxBytes`, as far as the phone can; a browser's is cut to size already. */
export async function shrunk(picture: Picture, maxBytes: number): Promise<Picture> {
  if (picture.file) return picture;
  const pressed = (src: string, quality: number) =>
    new Promise<string>((resolve) => uni.compressImage({ src, quality, compressedWidth: WIDTH, success: ({ tempFilePath }) => resolve(tempFilePath), fail: () => resolve(src) }));
  let { path } = picture;
  for (const quality of QUALITIES) {
    if ((await bytesOf({ path })) <= maxBytes) break;
    path = await pressed(picture.path, quality);
  }
  return { path };
}

/** Let the person cut a picture to an upright one in the phone's own way; the whole picture where there is none. */
export function cutPicture(picture: Picture): Promise<Picture | null> {
  // #ifdef MP-WEIXIN
  return new Promise((resolve) => {
    if (typeof wx.cropImage !== "function") return resolve(picture);
    wx.cropImage({ src: picture.path, cropScale: "3:4", success: ({ tempFilePath }) => resolve({ path: tempFilePath }), fail: () => resolve(null) });
  });
  // #endif
  // #ifndef MP-WEIXIN
  return Promise.resolve(picture);
  // #endif
}

/** A picture of ours that only its owner may see, as a data URL; null if there is none or it did not come. */
export function ownPicture(path: string, token: string | null): Promise<string | null> {
  return new Promise((resolve) => {
    uni.request({
      url: __ORIGIN__ + path,
      header: token === null ? {} : { Authorization: `Bearer ${token}` },
      responseType: "arraybuffer",
      success: ({ statusCode, data }) => resolve(statusCode === 200 ? `data:image/jpeg;base64,${uni.arrayBufferToBase64(data as ArrayBuffer)}` : null),
      fail: () => resolve(null),
    });
  });
}
