"""What a lesson needs besides its subject: the set-up, its size, and exercises that check themselves and hint."""

from lumbar_utils.teaching.course_map import course_map
from lumbar_utils.teaching.doctor import doctor
from lumbar_utils.teaching.exercises import check, hint
from lumbar_utils.teaching.keeping import pack_work
from lumbar_utils.teaching.setup import course_size, set_up

__all__ = ["check", "course_map", "course_size", "doctor", "hint", "pack_work", "set_up"]
