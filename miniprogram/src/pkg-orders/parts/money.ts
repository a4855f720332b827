/** Fen as yuan, for a person: "¥200.00". */
export function yuan(fen: number): string {
  const whole = String(Math.floor(Math.abs(fen) / 100)).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${fen < 0 ? "-" : ""}¥${whole}.${String(Math.abs(fen) % 100).padStart(2, "0")}`;
}
