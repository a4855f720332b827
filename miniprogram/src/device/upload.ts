import { answerOf } from "../api/client";
import { Unreachable } from "../api/errors";

/** A picture on this device. `path`: where it lies, a temporary path of the phone, or a `blob:` address in a browser,
 * which also holds its `file` (the page's policy lets nothing be read from an address). */
export interface Picture {
  path: string;
  file?: File;
}

const TIMEOUT = 60_000;

export interface Upload {
  /** Path of the API, such as `/api/v1/photo/check`. */
  path: string;
  /** The form's field for the picture. */
  name: string;
  picture: Picture;
  /** The form's other fields. */
  fields?: Record<string, string>;
  /** Percent sent so far. */
  progress?: (percent: number) => void;
}

/** POST a picture as multipart/form-data: `uni.uploadFile` is the one way that every platform has. Answers the JSON;
 * rejects with `Problem` or `Unreachable`. The mini-program and the app can only POST. */
export function upload<Answer>({ path, name, picture, fields, progress }: Upload, token: string | null): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const task = uni.uploadFile({
      url: __ORIGIN__ + path,
      name,
      filePath: picture.path,
      file: picture.file,
      formData: fields,
      header: { Accept: "application/json, application/problem+json", ...(token === null ? {} : { Authorization: `Bearer ${token}` }) },
      timeout: TIMEOUT,
      success(result) {
        try {
          resolve(answerOf(result) as Answer);
        } catch (error) {
          reject(error);
        }
      },
      fail: (error: { errMsg?: string }) =>
        reject(new Unreachable(/time ?out/i.test(error.errMsg ?? "") ? "timeout" : "no_network", error.errMsg ?? "")),
    });
    if (progress) (task as unknown as UniApp.UploadTask).onProgressUpdate?.((event) => progress(event.progress));
  });
}
