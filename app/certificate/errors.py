"""What can go wrong with a proof, and what the person does next."""

from __future__ import annotations

from app.core.errors import problem

PROOF_NOT_EARNED = problem("proof_not_earned", 409, "全部考试科目合格后，系统会自动出具证明。请先完成学习和考试。")
PROOF_NEEDS_PHOTO = problem("proof_needs_photo", 409, "还缺一张通过核验的照片，请先上传照片并完成人脸核验。")
PROOF_LINK_OVER = problem("proof_link_over", 403, "下载链接已经过期，请回到“我的证明”页面重新点下载。")
NO_SUCH_PROOF = problem("no_such_proof", 404, "没有查到这份证明。请核对二维码或网址是否完整；查不到的证明无效。")
FONT_MISSING = problem("font_missing", 503, "证明暂时无法生成，您的证明没有丢失，请稍后再试。")
