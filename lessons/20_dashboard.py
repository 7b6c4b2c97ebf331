# %% [markdown]
# # Lumbar spine: compare, look, doubt
#
# The networks on this page learned from drawn patients (phantoms) whose truth is known. Their answers about a real
# picture have no known meaning.

# %%
import lumbar_utils.dashboard

# %% [markdown]
# Every number carries its 95 % interval, whose unit is the patient, and says what it was measured on.

# %%
lumbar_utils.dashboard.build()
