# %% [markdown]
# # Ensembles: when do many know more than one?
#
# **When you have finished you can**
# 1. say when a jury beats its members, and when it only repeats their mistakes more firmly;
# 2. measure how alike seven networks err;
# 3. join them by votes, by fitted weights and by stacking, and say on whom each may be fitted;
# 4. tell a chosen committee from a good one.
#
# *About 50 minutes of your time, 10 s of the machine's, 0.3 GB of memory. Nothing is trained: we work with stored
# answers.*

# %% tags=["setup"]
# (written by the generator)

# %% [markdown]
# ## 1. A jury without a judge
#
# In 1785 the Marquis de Condorcet asked how often a jury is right that decides by majority. Each juror is right with
# probability $p$, and, this is the important word, **independently** of all others. *Eleven jurors, each right in 60 of
# 100 cases: how often is the majority right? And eleven who are each right in 40?*

# %%
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from scipy.stats import betabinom, binom

from lumbar_utils import Predictions, check, compare, diversity, evaluate, figures
from lumbar_utils import SoftVotingEnsemble, StackingEnsemble, WeightedVotingEnsemble
from lumbar_utils.evaluation import load_results, paired_difference
from lumbar_utils.figures.style import BLUE, GREY, ORANGE, VERMILLION
from lumbar_utils.figures.style import finish  # writes the finding over a figure

jurors = np.arange(1, 52, 2)  # odd, so that there is always a majority

fig = go.Figure()
for p, colour, dash in ((0.6, BLUE, "solid"), (0.5, GREY, "dot"), (0.4, VERMILLION, "dash")):
    majority_right = 1 - binom.cdf(jurors // 2, jurors, p)  # more than half of them right
    fig.add_scatter(
        x=jurors,
        y=100 * majority_right,
        mode="lines+markers",
        line={"color": colour, "dash": dash},
        name=f"each right in {p:.0%}",
    )
fig.update_xaxes(title_text="jurors", range=[0, 52])
fig.update_yaxes(title_text="majority is right (%)", range=[0, 100])
fig.update_layout(legend={"x": 0.98, "xanchor": "right", "y": 0.46, "yanchor": "top"})
at_eleven = 1 - binom.cdf(5, 11, [0.6, 0.4])
finish(
    fig,
    f"Eleven jurors: those right in 60 % together reach {at_eleven[0]:.0%}, those right in 40 % fall to {at_eleven[1]:.0%}",
    details="Share of cases in which the majority of independent jurors is right, by their number.",
)

# %% [markdown]
# A vote amplifies. It makes good jurors better and bad jurors worse, without limit, as long as they are independent. With
# enough jurors at 60 % one would be right always. If you have seven networks at 80 %, what are you waiting for?
#
# ## 2. The important word
#
# Jurors who went to the same school, read the same file and saw the same blurred picture are not independent. Say each
# case has its own difficulty: easy cases, on which nearly every juror is right, and hard ones, on which nearly every one
# is wrong. How much the jurors go wrong *together* is their **correlation** $\rho$: 0 for strangers, 1 for twins.
#
# Move the sliders. *How much correlation does it take until eleven jurors are hardly better than one?*

# %%
import ipywidgets as widgets

from lumbar_utils.live import show_figure

number = widgets.IntSlider(value=11, min=1, max=51, step=2, description="jurors")
skill = widgets.IntSlider(
    value=80, min=30, max=95, description="each is right (%)", style={"description_width": "initial"}
)
alike = widgets.FloatSlider(value=0.0, min=0.0, max=0.95, step=0.05, description="correlation")
screen = widgets.Output()


def jury(n, p, rho):
    """Return how often the majority of n jurors is right: each with p, any two with correlation rho."""
    if rho == 0:
        return 1 - binom.cdf(n // 2, n, p)
    spread = (1 - rho) / rho  # of the beta distribution from which a case draws its difficulty
    return 1 - betabinom.cdf(n // 2, n, p * spread, (1 - p) * spread)


def redraw(change=None):
    p, rho = skill.value / 100, alike.value
    correlations = np.linspace(0, 0.95, 96)
    curve = [100 * jury(number.value, p, r) for r in correlations]
    now = 100 * jury(number.value, p, rho)
    fig = go.Figure()
    fig.add_scatter(
        x=correlations, y=curve, mode="lines", line={"color": BLUE}, name=f"{number.value} jurors"
    )
    fig.add_scatter(
        x=[0, 0.95], y=[100 * p] * 2, mode="lines", line={"color": GREY, "dash": "dot"}, name="one juror"
    )
    fig.add_scatter(
        x=[rho], y=[now], mode="markers", marker={"size": 13, "color": VERMILLION}, name="your jury"
    )
    fig.update_xaxes(title_text="correlation of right and wrong between two jurors", range=[-0.02, 1])
    fig.update_yaxes(title_text="majority is right (%)", range=[20, 101])
    fig.update_layout(legend={"x": 0.02, "y": 0.04, "yanchor": "bottom"})
    gain = now - 100 * p
    show_figure(
        screen,
        finish(
            fig,
            f"{number.value} jurors with correlation {rho:.2f} are right in {now:.0f} %: {gain:+.1f} points to one alone",
            details="Cases draw their difficulty from a beta distribution.",
            height=330,
        ),
    )


for control in (number, skill, alike):
    control.observe(redraw, names="value")
redraw()
widgets.VBox([widgets.HBox([number, skill, alike], layout={"flex_flow": "row wrap"}), screen])

# %% tags=["drive"]
for control, value in ((number, 51), (skill, 60), (alike, 0.5)):
    shown = screen.outputs
    control.value = value
    assert screen.outputs != shown, control

# %% [markdown]
# Without correlation, eleven jurors at 80 % are right in 99 %. With 0.5 they gain two or three points, and no further
# juror helps: what is left is the cases that are hard for *everybody*.
#
# The same in one line. The mean of $M$ members with variance $\sigma^2$ each and correlation $\rho$ has the variance
# $\sigma^2\,(\rho + (1 - \rho)/M)$. The second part falls with $M$. The first stays.
#
# ### Exercise 1 (warm-up): what seven can do
# Seven members, correlation 0.6. Which share of one member's variance does their mean still have?

# %% tags=["exercise"]
variance_left = ...

# %% tags=["check"]
check("ensembles.variance", variance_left)

# %% tags=["solution"]
variance_left = 0.6 + (1 - 0.6) / 7

# %% [markdown]
# *(Stuck? `from lumbar_utils import hint`, then `hint("ensembles.variance")`.)*
#
# ## 3. Our seven jurors
#
# The course's networks learned from the same patients, and all of them have answered the same locked test. Every
# probability is stored. (Their answers about the *validation* patients are stored too; we need them in section 6.)

# %%
validation = load_results("zoo/validation")
on_test = load_results("zoo")
members = {name: on_test[name] for name in validation}  # the networks; ensembles and the ceiling stay out

pd.DataFrame(
    {
        "accuracy on phantoms": {each.model: str(evaluate(each).accuracy) for each in members.values()},
    }
)

# %% [markdown]
# Seven architectures, most of them invented to do better than the one before. *How alike do they err: nearer to 0, or
# nearer to 1?*

# %%
pairs = diversity(list(members.values()), n_resamples=500)
names = [each.model for each in members.values()]
table = pairs.pivot(index="second", columns="first", values="correlation").reindex(
    index=names[1:], columns=names[:-1]
)

fig = go.Figure(
    go.Heatmap(
        z=table,
        x=[name.split(",")[0] for name in table.columns],
        y=[name.split(",")[0] for name in table.index],
        zmin=0,
        zmax=1,
        colorscale="Cividis",
        text=table.map(lambda value: "" if np.isnan(value) else f"{value:.2f}"),
        texttemplate="%{text}",
        hoverongaps=False,
        colorbar={"title": "correlation"},
    )
)
fig.update_yaxes(autorange="reversed")
fig.update_xaxes(tickangle=-30)
finish(
    fig,
    f"Two networks err together: the correlation runs from {pairs['correlation'].min():.2f} to {pairs['correlation'].max():.2f}",
    details="Phi coefficient of right and wrong between each two networks on the locked phantom patients.",
)

# %% [markdown]
# They are far from strangers. They saw the same patients, and the same slices of the test patients, in some of which
# the disease does not show. Let us count: of how many networks is each test patient named right?

# %%
right = np.stack([each.predicted == each.labels for each in members.values()])  # (members, patients)
named_by = np.bincount(right.sum(axis=0), minlength=len(members) + 1)
strangers = len(right[0]) * binom.pmf(np.arange(len(members) + 1), len(members), right.mean())

fig = go.Figure()
fig.add_bar(x=np.arange(len(members) + 1), y=named_by, name="our networks", marker_color=BLUE)
fig.add_scatter(
    x=np.arange(len(members) + 1), y=strangers, name="if they were strangers", mode="lines+markers",
    line={"color": ORANGE, "dash": "dash"}, marker_size=9,
)  # fmt: skip
fig.update_xaxes(title_text="networks that name the patient right", dtick=1)
fig.update_yaxes(title_text="test patients")
fig.update_layout(legend={"x": 0.02, "y": 0.98})
finish(
    fig,
    f"All of them miss {named_by[0]} of {right.shape[1]} patients; strangers would all miss {strangers[0]:.1f}",
    details="Counts of the locked phantom patients by the number of networks that are right.",
    height=340,
)

# %% [markdown]
# No vote can save the patients at the far left: where nobody is right, there is nobody to listen to. And those at the far
# right need no vote. An ensemble works in between.
#
# ## 4. Voting, soft and hard
#
# A **hard vote** counts heads. A **soft vote** takes the mean of the probabilities, so that a member who is sure weighs
# more than one who shrugs.
#
# ### Exercise 2: three members, one patient
# Two members say: Healthy 0.51, Herniated Disk 0.49. The third says: Healthy 0.05, Herniated Disk 0.95. What does the hard
# vote say, and what the soft vote? Give both, and the soft vote's probability of a herniation.

# %% tags=["exercise"]
votes = {"hard": ..., "soft": ..., "probability": ...}

# %% tags=["check"]
check("ensembles.votes", votes)

# %% tags=["solution"]
votes = {"hard": "Healthy", "soft": "Herniated Disk", "probability": (0.49 + 0.49 + 0.95) / 3}

# %% [markdown]
# For our networks the soft vote is one line of numpy. `SoftVotingEnsemble` is the same line, and notes who took part.

# %%
probabilities = np.stack([each.probabilities for each in members.values()])  # (members, patients, classes)
by_hand = probabilities.mean(axis=0)

soft = (
    SoftVotingEnsemble()
    .fit([validation[name] for name in members])  # a soft vote learns nothing; it notes the names
    .combine(list(members.values()))
)
print("the same:", np.allclose(by_hand, soft.probabilities, atol=1e-4))

# %% tags=["expected"]
# the same: True

# %%
best = max(members.values(), key=lambda each: evaluate(each).accuracy.value)
print(f"soft vote  {evaluate(soft).accuracy}")
print(f"best of {len(members)}  {evaluate(best).accuracy}  ({best.model})")
print(f"soft vote minus best: {paired_difference(soft, best)}")

# %% [markdown]
# The interval of the *difference* decides (lesson 16): if it holds 0, a sceptic may say that one network would have done.
# Keep in mind that the comparison is unkind to the vote: which member is best was found out on these very test
# patients. In life you would have to choose it before.
#
# Accuracy is not all. The mean of several opinions is less extreme than each, so a soft vote is often *calibrated* better.
# *Which has the lower negative log-likelihood, the loss that punishes wrong certainty?*

# %%
for name, each in (("soft vote", soft), ("best member", best)):
    report = evaluate(each)
    print(f"{name:12s} negative log-likelihood {report.nll}, calibration error {report.calibration_error}")

# %% [markdown]
# ## 5. Clones
#
# "Averaging always helps" is said often. Here is a committee on which it cannot: one network, and the support vector
# machine that was put on *its own features* (lesson 04, section 12; lesson 13). Against it: the same network, and the one
# that errs least like it.

# %%
with_cnn = pairs[(pairs["first"] == members["cnn"].model) | (pairs["second"] == members["cnn"].model)]
least_alike = with_cnn.loc[with_cnn["correlation"].idxmin()]
stranger = next(
    each
    for each in members.values()
    if each.model in (least_alike["first"], least_alike["second"]) and each is not members["cnn"]
)


def soft_vote_of(*few):
    mean = np.mean([each.probabilities for each in few], axis=0)
    return Predictions(
        few[0].labels,
        mean,
        class_names=few[0].class_names,
        patient_ids=few[0].patient_ids,
        model=" + ".join(each.model for each in few),
        dataset=few[0].dataset,
        measured_on=few[0].measured_on,
    )


for name, other in (("clone", on_test["cnn_svm"]), ("stranger", stranger)):
    alike_by = diversity([members["cnn"], other], n_resamples=500)["correlation"].item()
    gain = paired_difference(soft_vote_of(members["cnn"], other), members["cnn"])
    print(f"CNN and its {name:8s} ({other.model}): errors correlate {alike_by:.2f}, the pair gains {gain}")

# %% [markdown]
# Now all pairs. Each point is two networks: how alike they err, and what their vote gains over the *better* of the two.
# *Which way will the cloud lean?*

# %%
points = []
for _, row in pairs.iterrows():
    two = [each for each in members.values() if each.model in (row["first"], row["second"])]
    better = max((each.predicted == each.labels).mean() for each in two)
    voted = soft_vote_of(*two)
    points.append(
        (row["correlation"], 100 * ((voted.predicted == voted.labels).mean() - better), voted.model)
    )
x, y, who = zip(*points, strict=True)

fig = go.Figure(
    go.Scatter(x=x, y=y, mode="markers", marker={"size": 11, "color": BLUE}, text=who, hoverinfo="text")
)
fig.add_hline(y=0, line={"color": GREY, "dash": "dot"})
fig.update_xaxes(title_text="correlation of right and wrong")
fig.update_yaxes(title_text="gain over the better of the two (points)")
finish(
    fig,
    f"{sum(gain > 0 for gain in y)} of {len(y)} pairs gain; correlation and gain go together with "
    f"{np.corrcoef(x, y)[0, 1]:+.2f}",
    details="Each point is a soft vote of two networks on the locked phantom patients.",
    height=340,
)

# %% [markdown]
# A negative number says: the less alike two members err, the more their vote gains. A positive one says the opposite. Then
# look at the names of the pairs that lose (point at them): where one member is much weaker than the other, the two err
# unlike each other, and their vote still falls short of the better one. So to be unlike is not enough; a partner has to be
# nearly as good. And look at how small all gains and losses are, and remember that 600 patients measure a difference to two
# points or so. A clear law in simulations, where all members are equally good, need not show here.
#
# ## 6. Weights, and where they may come from
#
# Why should the weakest member count as much as the best? We let the data choose **weights** that are not negative and
# add up to one (mathematicians call that set a *simplex*), so that the truth becomes as likely as possible.
#
# *On whom may we fit them: the training patients, the validation patients, or the test patients?*

# %%
weighted = WeightedVotingEnsemble().fit([validation[name] for name in members])
pd.Series(weighted.weights_, index=[name.split(",")[0] for name in names], name="weight").round(2)

# %% [markdown]
# Not the training patients: there a network that learned them by heart looks perfect and gets all the weight. Not the
# test patients: then the score would tell how well we fitted it. The validation patients are the ones left. (They
# have chosen each network's best epoch, so members may look a little better there than they are.)
#
# The package refuses the mistake where it can see it:

# %%
from lumbar_utils import LumbarError

try:
    WeightedVotingEnsemble().fit(list(members.values())).combine(list(members.values()))
except LumbarError as error:
    print(error)

# %% [markdown]
# **Stacking** goes one step further: a small regression on top of all members' log-probabilities. It can learn that the
# third member takes stenosis for spondylosis, and undo it. It pays with more numbers to learn.
#
# ### Exercise 3: count them
# Stacking learns for each class a weight for every member's log-probability of every class, and one intercept; one class
# is the reference and needs none. For 7 members and 4 classes, how many numbers is that? (The weighted vote has 6 free
# ones.)

# %% tags=["exercise"]
numbers_to_learn = ...

# %% tags=["check"]
check("ensembles.stacking", numbers_to_learn)

# %% tags=["solution"]
numbers_to_learn = (4 - 1) * (7 * 4 + 1)

# %%
stacked = StackingEnsemble().fit([validation[name] for name in members]).combine(list(members.values()))
joined = {"Soft vote": soft, "Weighted vote": weighted.combine(list(members.values())), "Stacking": stacked}

everybody = joined | {f"best of {len(members)}: {best.model.split(',')[0]}": best}
figures.compare_accuracy(
    {name: evaluate(each) for name, each in everybody.items()}, ceiling=evaluate(on_test["ceiling"])
)

# %% [markdown]
# The line is the ceiling: what a classifier reaches that is handed the *true* outlines of the same slice. In pairs, with
# the correction for how many pairs there are:

# %%
figures.paired_forest(compare(everybody))

# %% [markdown]
# Does any way of joining beat the plainest one? Where the intervals hold 0, take the mean: it has nothing to fit, so it
# has nothing to fit wrongly.
#
# ## 7. The committee that looked best
#
# With seven members one can form 120 committees of two or more. Somebody tries them all and reports the best. We can watch
# that happen: choose by the *validation* patients, and then ask the test.

# %%
from itertools import combinations

committees = [few for size in range(2, len(members) + 1) for few in combinations(members, size)]


def accuracy_of(few, answers):
    mean = np.mean([answers[name].probabilities for name in few], axis=0)
    return (mean.argmax(axis=1) == answers[few[0]].labels).mean()


chosen_by = np.array([accuracy_of(few, validation) for few in committees])
held_to = np.array([accuracy_of(few, on_test) for few in committees])
winner = int(chosen_by.argmax())

fig = go.Figure()
fig.add_scatter(
    x=100 * chosen_by, y=100 * held_to, mode="markers", marker={"color": GREY, "size": 7},
    text=[", ".join(few) for few in committees], hoverinfo="text", name="a committee",
)  # fmt: skip
fig.add_scatter(
    x=[100 * chosen_by[winner]], y=[100 * held_to[winner]], mode="markers",
    marker={"color": VERMILLION, "size": 14, "symbol": "diamond"}, name="best on validation",
)  # fmt: skip
fig.update_xaxes(title_text="accuracy on the validation patients (%)")
fig.update_yaxes(title_text="accuracy on the test patients (%)")
fig.update_layout(legend={"x": 0.02, "y": 0.98})
rank = int((held_to > held_to[winner]).sum()) + 1
finish(
    fig,
    f"The best of {len(committees)} committees on validation is number {rank} on the test",
    details="Soft votes of all subsets of the networks; phantom patients.",
    height=360,
)

# %% [markdown]
# The winner's validation score is the largest of many draws, so part of it is luck, and luck does not come along to the
# test. The more committees you try, the larger that part.
#
# ### Exercise 4 (open): your committee
# Form a committee by a rule of your own: the three least alike, the best two, one that leaves out the most expensive
# member. Use the *validation* patients for your choice. Then give the names of its members (such as `"cnn"`, `"vgg16"`;
# they are the keys of `members`) and its accuracy on the test patients. `accuracy_of` does the counting.

# %% tags=["exercise"]
committee = ...
its_accuracy = ...

# %% tags=["check"]
check("ensembles.committee", (committee, its_accuracy))

# %% tags=["solution"]
ranked = sorted(members, key=lambda name: evaluate(validation[name]).nll.value)
committee = ranked[:3]  # the three with the lowest loss on the validation patients
its_accuracy = accuracy_of(committee, on_test)

# %% [markdown]
# ## 8. And the paper?
#
# Its abstract says that an ensemble technique "much improved" the ability to find subtle features. Then no score of any
# ensemble is reported, no list of members, no weights. What stands there are single models and one hybrid. A claim
# without a number cannot be tested, not even with the tools of lesson 16.
#
# What does an ensemble cost? The sum of its members: memory, milliseconds, and somebody who keeps seven models up to
# date. Two or three points of accuracy may be worth that in a clinic; half a point hardly.
#
# ## Quiz
#
# 1. **Seven copies of one network vote. Their accuracy is**
#    - a) higher, because seven vote
#    - b) the same as that of one
#    - c) lower, because errors add up
# 2. **You fit the weights of a vote on the test patients and report its accuracy there. It is**
#    - a) right, because weights are only seven numbers
#    - b) too high on average
#    - c) too low on average
# 3. **Which partner helps a strong network most?**
#    - a) one that is nearly as good and errs on other patients
#    - b) the second best, whatever its errors
#    - c) a weak one, since it is surely different

# %% tags=["exercise"]
quiz = {"1": ..., "2": ..., "3": ...}

# %% tags=["check"]
check("ensembles.quiz", quiz)

# %% tags=["solution"]
quiz = {"1": "b", "2": "b", "3": "a"}

# %% [markdown]
# ## What you have seen
#
# - A majority of independent jurors amplifies what they are, good or bad.
# - Correlation puts a floor under the mistakes: $\rho$ stays, only $(1 - \rho)/M$ goes.
# - Networks that learned from the same patients err together. Where nobody is right, no vote helps.
# - Weights and stacking are models too: they are fitted on patients who are neither trained on nor tested.
# - The best of many committees owes part of its score to luck.
#
# **All scores here are phantom scores.**
#
# ## References
#
# - Condorcet, *Essai sur l'application de l'analyse à la probabilité des décisions*, 1785.
# - Hansen and Salamon, "Neural network ensembles", IEEE Transactions on Pattern Analysis and Machine Intelligence 12, 1990.
# - Wolpert, "Stacked generalization", Neural Networks 5, 1992.
# - Kuncheva and Whitaker, "Measures of diversity in classifier ensembles", Machine Learning 51, 2003.
