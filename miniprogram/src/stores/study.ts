import { defineStore } from "pinia";
import { computed, ref, shallowRef } from "vue";

import { api } from "../api";
import type { Output } from "../api/calls";
import { useAsk } from "../composables/ask";
import { deviceId } from "../device/identity";
import { storage, timers } from "../device/ports";
import type { LessonKey } from "../study/kept";
import { StudyQueue, type Play, type View } from "../study/queue";
import { useClock } from "./clock";
import { useSession } from "./session";

export type Course = Output<"/api/v1/enrolments/{enrolment_id}/lessons", "get">;
export type Lesson = Course["items"][number];

/** Studying, for the whole app: what was watched is sent from here, whichever screen is open, and after a restart. */
export const useStudy = defineStore("study", () => {
  const clock = useClock();
  const view = shallowRef<View | null>(null);
  /** The server's time when it last told that something watched on this device is in its database. */
  const heard = ref<string | null>(null);
  /** Whether the question about mobile data was answered with yes since the app was started. */
  const mobileDataAgreed = ref(false);
  const enrolment = ref("");

  const queue = new StudyQueue({
    storage,
    timers,
    async send(beat) {
      const asked = Date.now();
      const answer = await api.call("post", "/api/v1/heartbeat", { body: beat });
      clock.hear(answer.server_now, asked);
      return answer;
    },
    changed(now) {
      view.value = now;
      heard.value = now.savedAt ?? heard.value;
    },
  });

  /** The lessons of the enrolment that was opened last. */
  const course = useAsk<Course>(async () => {
    const asked = Date.now();
    const answer = await api.call("get", "/api/v1/enrolments/{enrolment_id}/lessons", { path: { enrolment_id: enrolment.value } });
    clock.hear(answer.server_now, asked);
    return answer;
  });

  const savedAt = computed(() => {
    const told = course.data?.saved_at ?? null;
    return told === null || (heard.value !== null && Date.parse(heard.value) > Date.parse(told)) ? heard.value : told;
  });

  /** Show the lessons of this enrolment, asked anew. */
  async function look(enrolmentId: string): Promise<void> {
    if (enrolment.value !== enrolmentId) {
      enrolment.value = enrolmentId;
      course.forget();
      heard.value = null;
    }
    await course.renew();
  }

  /** Take the seat and begin the lesson, or go on with it. Rejects with `Problem` (`studying_elsewhere`,
   * `face_check_needed` …) or `Unreachable`. */
  async function play(key: LessonKey, takeOver = false): Promise<Play> {
    const asked = Date.now();
    const answer = await api.call("post", "/api/v1/enrolments/{enrolment_id}/lessons/{lesson_id}/play", {
      path: { enrolment_id: key.enrolment, lesson_id: key.lesson },
      body: { device: deviceId(), take_over: takeOver },
    });
    clock.hear(answer.server_now, asked);
    queue.open(key, answer);
    return answer;
  }

  useSession().farewells.push((wish) => {
    // by their own wish: nothing more is sent in their name. A session that the server ended leaves the ticket good,
    // and what they have watched goes on its way
    if (wish) {
      queue.close({ signedOut: true });
      view.value = null;
    }
    enrolment.value = "";
    course.forget();
    heard.value = null;
    mobileDataAgreed.value = false;
  });

  return {
    view,
    savedAt,
    mobileDataAgreed,
    enrolment,
    course,
    look,
    play,
    watched: (chunk: number, position: number) => queue.watched(chunk, position),
    at: (position: number, seen: number) => queue.at(position, seen),
    /** Lessons with chunks that wait for a ticket of their own. */
    unfinished: () => queue.unfinished(),
    /** The app was started: go on sending. */
    resume: () => queue.resume(),
    /** Send now: the network is back, the player pauses, the page is left. */
    wake: () => queue.wake(),
  };
});
