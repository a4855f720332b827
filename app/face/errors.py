"""What can go wrong with photos and face checks; each sentence says what to do next."""

from __future__ import annotations

from app.core.errors import problem

PHOTO_MISSING = problem("photo_missing", 422, "没有收到照片，请重新选择一张照片再提交。")
PHOTO_NOT_PICTURE = problem("photo_not_picture", 415, "这个文件不是照片，请上传 JPG 或 PNG 格式的照片。")
PHOTO_TOO_MANY_PIXELS = problem(
    "photo_too_many_pixels", 422, "照片的尺寸太大了，请用手机裁剪或截图后再上传（不超过 2400 万像素）。"
)
PHOTO_BROKEN = problem("photo_broken", 422, "照片文件不完整或已损坏，请重新拍摄或重新选择后再上传。")
PHOTO_ANIMATED = problem("photo_animated", 422, "不支持动态图片，请换一张普通照片再上传。")
PHOTO_UNFIT = problem("photo_unfit", 422, "照片不符合要求，请按提示重新拍摄或选择照片。")
PHOTO_NOT_SAME_PERSON = problem(
    "photo_not_same_person", 422, "照片与实名核验时的本人不一致，请上传本人近期的照片，要求见上传页。"
)
PHOTO_FIXED = problem("photo_fixed", 409, "照片已经确认，不能自行更换。如照片有误，请联系客服处理。")
PHOTO_NOT_OFFERED = problem("photo_not_offered", 409, "本项目不需要上传照片，请返回首页继续。")
PHOTO_NOT_FIXED = problem("photo_not_fixed", 409, "照片还没有确认，可以直接重新上传，不需要申请更换。")
PHOTO_NEEDED = problem("photo_needed", 409, "还没有可用的照片，请先上传本人近期的照片。")
PICTURES_BUSY = problem("pictures_busy", 503, "正在处理的照片太多，请过几秒钟再试一次。")

FACE_CHECK_NEEDED = problem("face_check_needed", 403, "请先完成人脸核验，再进行这一步。")
FACE_ANCHOR_NEEDED = problem("face_anchor_needed", 409, "请先完成实名人脸核验（登录核验），再进行这一步。")
FACE_CHECK_OVER = problem("face_check_over", 409, "这次人脸核验已经结束或超时，请重新发起核验。")
FACE_NOT_OFFERED = problem("face_not_offered", 409, "本项目不使用这种人脸核验，请返回首页按提示操作。")
FACE_MANUAL_ROUTE = problem("face_manual_route", 409, "多次核验没有通过，请联系客服人工核验。")
FACE_UNAVAILABLE = problem(
    "face_unavailable", 503, "人脸核验服务暂时没有响应，本次不计入失败次数。请稍后再试，或联系客服人工核验。"
)
