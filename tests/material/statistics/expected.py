"""Writes expected.json: what SciPy, statsmodels, pymannkendall and online-fdr make of the data below.

    pip install numpy scipy statsmodels pymannkendall online-fdr
    python3 tests/material/statistics/expected.py

Where none of them has a method, its definition is computed here in another way than in src/analysis.
"""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pymannkendall as mk
import scipy.integrate as integrate
import scipy.optimize as optimize
import scipy.stats as st
import statsmodels.api as sm
from online_fdr.p_values.investing.lord.plus_plus import LordPlusPlus
from statsmodels.stats.oneway import anova_oneway
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint, proportion_effectsize
from statsmodels.stats.weightstats import ttost_ind

rng = np.random.default_rng(20240611)
expected = {}


def number(value):
    value = float(value)
    assert math.isfinite(value), value
    return value


def numbers(values):
    return [number(value) for value in values]


# Shares -------------------------------------------------------------------------------------------------------------

PAIRS = [(2, 10, 9, 12), (0, 3, 3, 3), (1, 1, 0, 1), (7, 9, 3, 9), (0, 5, 2, 200), (40, 90, 31, 120), (1, 4000, 9, 4100),
         (812, 2000, 905, 2001), (5, 5, 5, 6), (3, 10, 6, 20), (10, 10, 10, 10), (0, 8, 0, 9), (2, 5, 300, 10000),
         (4000, 10000, 4200, 10000), (10, 9000, 31, 12000)]
cases = []
for a, n, b, m in PAIRS:
    p = st.fisher_exact([[a, n - a], [b, m - b]]).pvalue
    low, high = proportion_confint(a, n, 0.05, "wilson")
    low_80, high_80 = proportion_confint(a, n, 0.2, "wilson")
    ends = confint_proportions_2indep(a, n, b, m, method="newcomb", compare="diff", alpha=0.05)
    ends_99 = confint_proportions_2indep(a, n, b, m, method="newcomb", compare="diff", alpha=0.01)
    cases.append({"counts": [a, n, b, m], "p": number(p), "h": number(proportion_effectsize(a / n, b / m)),
                  "wilson": numbers([low, high]), "wilson_80": numbers([low_80, high_80]),
                  "newcombe": numbers(ends), "newcombe_99": numbers(ends_99)})
expected["two_proportions"] = cases
cases = []
for a, n, b, m in [(400000, 1000000, 402000, 1000000), (5000000, 90000000, 5010000, 90500000)]:
    p = st.chi2_contingency([[a, n - a], [b, m - b]], correction=False).pvalue
    cases.append({"counts": [a, n, b, m], "p": number(p)})
expected["two_large_proportions"] = cases



def with_small_ones_together(groups):
    """The groups in which five are expected of both sides, and the others as one if five are expected of it: in whole numbers."""
    parts, whole = (sum(column) for column in zip(*groups))
    is_enough = lambda group: group[1] * min(parts, whole - parts) >= 5 * whole
    enough, small = [group for group in groups if is_enough(group)], [group for group in groups if not is_enough(group)]
    together = [sum(column) for column in zip(*small)] if small else [0, 0]
    return enough + [together] * is_enough(together)


cases = []
for groups in [[[20, 100], [30, 100], [25, 120]], [[9, 30], [9, 30], [9, 30]], [[40, 90], [31, 120], [1, 2], [3, 4], [2, 9], [0, 7]],
               [[40, 90], [31, 120], [1, 2]], [[40, 90], [31, 120], [0, 1], [0, 1], [0, 1]], [[5, 10], [3, 10], [7, 10]],
               [[5, 50], [8, 50], [2, 50]], [[45, 50], [42, 50], [48, 50]], [[2, 10], [18, 110], [30, 130]], [[12, 20], [1, 3]],
               [[1, 3], [2, 4], [0, 2]], [[0, 40], [0, 60]], [[40, 40], [60, 60]], [[3, 9]] * 8, [[0, 6], [6, 6]] * 4,
               [[6, 12], [7, 13], [400, 700], [0, 0]], [[3, 4000], [14, 5000], [9, 3000], [1, 10]], [[5012, 90000], [4800, 91000]],
               [[5, 500], [6, 500], [8, 20]], [[5, 500], [4, 500], [8, 20]], [[1, 8], [8, 8], [300, 900], [280, 900]], [[7, 70], [63, 70], [5, 9], [4, 9]]]:
    table = [[part, whole - part] for part, whole in with_small_ones_together(groups)]
    is_tested = len(table) > 1 and (st.contingency.expected_freq(table) >= 5).all()
    p = number(st.chi2_contingency(table, correction=False).pvalue) if is_tested else None
    cases.append({"groups": groups, "p": p})
expected["several_proportions"] = cases

# Tables -------------------------------------------------------------------------------------------------------------

TABLES = [[[12, 5], [3, 9]], [[10, 20, 30], [6, 9, 17]], [[1, 0], [0, 1]], [[20, 80], [30, 70], [25, 95]],
          [[3, 1, 4, 1], [5, 9, 2, 6], [5, 3, 5, 8]], [[0, 7, 2], [4, 0, 1], [3, 3, 3], [9, 1, 0]],
          [[1200345, 2400111], [1200999, 2397000]], [[50, 50], [50, 50]], [[900, 3], [20, 41]]]
cases = []
for table in TABLES:
    test = st.chi2_contingency(table, correction=False)
    cases.append({"table": table, "statistic": number(test.statistic), "freedom": number(test.dof),
                  "p": number(test.pvalue), "v": number(st.contingency.association(table, method="cramer")),
                  "expected": [numbers(row) for row in test.expected_freq]})
expected["contingency"] = cases

# Rates --------------------------------------------------------------------------------------------------------------


def exact_rates(counts, exposures):
    shares, total = np.array(exposures) / np.sum(exposures), sum(counts)
    seen = st.multinomial.pmf(counts, total, shares)
    p = 0.0
    for head in itertools.product(range(total + 1), repeat=len(counts) - 1):
        if sum(head) <= total:
            likely = st.multinomial.pmf([*head, total - sum(head)], total, shares)
            p += likely if likely <= seen * (1 + 1e-7) else 0.0
    return min(p, 1.0)


cases = []
for counts, exposures in [((3, 12), (10.0, 11.5)), ((0, 4), (1.0, 3.0)), ((0, 0), (1.0, 2.0)), ((240, 300), (365.0, 366.0)),
                          ((5, 5), (1.0, 1.0)), ((20000, 20700), (30.0, 31.0))]:
    p = st.binomtest(counts[0], sum(counts), exposures[0] / sum(exposures)).pvalue if sum(counts) else 1.0
    cases.append({"counts": counts, "exposures": exposures, "p": number(p)})
for counts, exposures in [((1, 5, 9), (1.0, 1.0, 1.0)), ((2, 0, 7), (3.0, 1.5, 2.0)), ((4, 4, 4, 1), (1.0, 2.0, 3.0, 1.0))]:
    cases.append({"counts": counts, "exposures": exposures, "p": number(exact_rates(counts, exposures))})
for counts, exposures in [((500, 540, 610), (30.0, 31.0, 31.0)), ((90000, 91000), (1.0, 1.0)),
                          ((61, 40, 55, 48, 52), (7.0, 7.0, 7.0, 6.0, 7.0))]:
    shares = np.array(exposures) / sum(exposures)
    cases.append({"counts": counts, "exposures": exposures, "p": number(st.chisquare(counts, shares * sum(counts)).pvalue)})
expected["equal_rates"] = cases

# Averages -----------------------------------------------------------------------------------------------------------


def moments(values):
    return {"count": len(values), "mean": number(np.mean(values)), "variance": number(np.var(values, ddof=1))}


SAMPLES = [rng.normal(10, 2, 5), rng.normal(12, 5, 9), rng.exponential(3, 40) + 7, rng.integers(8, 13, 25).astype(float),
           rng.normal(10.05, 2, 20000), rng.normal(10.1, 2.2, 30000), rng.lognormal(2.2, 1, 7)]
cases = []
for one, other in itertools.combinations(SAMPLES, 2):
    test = st.ttest_ind(one, other, equal_var=False)
    at_95, at_99 = test.confidence_interval(0.95), test.confidence_interval(0.99)
    pooled = math.sqrt(((len(one) - 1) * np.var(one, ddof=1) + (len(other) - 1) * np.var(other, ddof=1)) / (len(one) + len(other) - 2))
    g = (one.mean() - other.mean()) / pooled * (1 - 3 / (4 * (len(one) + len(other)) - 9))
    cases.append({"one": moments(one), "other": moments(other), "p": number(test.pvalue), "freedom": number(test.df),
                  "interval": numbers(at_95), "interval_99": numbers(at_99), "g": number(g),
                  "equivalence_1": number(ttost_ind(one, other, -1.0, 1.0, usevar="unequal")[0]),
                  "equivalence_5": number(ttost_ind(one, other, -5.0, 5.0, usevar="unequal")[0])})
# From the moments alone, with more rows than a sample here may have.
for one, other in [((5.0, 2.0, 10**6), (5.006, 2.1, 2 * 10**6)), ((1.0, 9.0, 10**9), (1.0003, 9.0, 10**9)),
                   ((5.0, 2.0, 5), (5.0, 2.0, 5)), ((-3.0, 1.0, 6), (90.0, 4.0, 10**7)), ((4.0, 1.0, 1700), (4.2, 1.0, 1700))]:
    test = st.ttest_ind_from_stats(one[0], one[1], one[2], other[0], other[1], other[2], equal_var=False)
    first, second = one[1]**2 / one[2], other[1]**2 / other[2]
    freedom = (first + second)**2 / (first**2 / (one[2] - 1) + second**2 / (other[2] - 1))
    error, difference = math.sqrt(first + second), one[0] - other[0]
    reach, reach_99 = st.t.ppf(0.975, freedom) * error, st.t.ppf(0.995, freedom) * error
    pooled = math.sqrt(((one[2] - 1) * one[1]**2 + (other[2] - 1) * other[1]**2) / (one[2] + other[2] - 2))
    tost = lambda margin: max(st.t.sf((difference + margin) / error, freedom), st.t.cdf((difference - margin) / error, freedom))
    cases.append({"one": {"count": one[2], "mean": one[0], "variance": one[1]**2},
                  "other": {"count": other[2], "mean": other[0], "variance": other[1]**2},
                  "p": number(test.pvalue), "freedom": number(freedom),
                  "interval": [difference - reach, difference + reach], "interval_99": [difference - reach_99, difference + reach_99],
                  "g": number(difference / pooled * (1 - 3 / (4 * (one[2] + other[2]) - 9))),
                  "equivalence_1": number(tost(1.0)), "equivalence_5": number(tost(5.0))})
expected["two_means"] = cases
cases = []
for groups in [SAMPLES[:2], SAMPLES[:3], SAMPLES, SAMPLES[2:6], [SAMPLES[0], SAMPLES[0] + 0.5, SAMPLES[1]]]:
    test = anova_oneway(groups, use_var="unequal", welch_correction=True)
    cases.append({"groups": [moments(group) for group in groups], "statistic": number(test.statistic),
                  "within": number(test.df_denom), "p": number(test.pvalue), "one_way": number(st.f_oneway(*groups).pvalue)})
for triples in [[(5.0, 4.0, 10**6), (5.004, 4.0, 2 * 10**6), (5.0, 4.1, 10**6)], [(1.0, 2.0, 5000), (1.1, 2.5, 7000)],
                [(0.0, 1.0, 10**8), (1e-4, 1.0, 10**8), (0.0, 4.0, 10**8), (2e-4, 1.0, 5)]]:
    mean, variance, count = (np.array(part, dtype=float) for part in zip(*triples))
    weights = count / variance
    share, k = weights / weights.sum(), len(triples)
    lost = ((1 - share)**2 / (count - 1)).sum()
    statistic = (weights * (mean - (share * mean).sum())**2).sum() / (k - 1) / (1 + 2 * (k - 2) / (k**2 - 1) * lost)
    within = (k**2 - 1) / (3 * lost)
    groups = [{"count": n, "mean": m, "variance": v} for m, v, n in triples]
    cases.append({"groups": groups, "statistic": number(statistic), "within": number(within),
                  "p": number(st.f.sf(statistic, k - 1, within))})
expected["several_means"] = cases

# Ranks --------------------------------------------------------------------------------------------------------------


def ranked(groups):
    everything = np.concatenate(groups)
    ranks, at = st.rankdata(everything), 0
    sums = []
    for group in groups:
        sums.append({"count": len(group), "rank_sum": number(ranks[at:at + len(group)].sum())})
        at += len(group)
    counts = np.unique(everything, return_counts=True)[1].astype(float)
    return sums, number((counts**3 - counts).sum())


UNTIED = [rng.normal(0, 1, 3), rng.normal(1, 1, 4), rng.normal(0, 2, 8), rng.normal(0.5, 1, 9), rng.exponential(1, 60),
          rng.normal(0, 1, 300), rng.normal(5, 1, 2), rng.normal(0.1, 1, 1)]
TIED = [rng.integers(0, 4, 5).astype(float), rng.integers(1, 5, 6).astype(float), rng.integers(0, 6, 40).astype(float),
        rng.integers(0, 2, 200).astype(float), np.array([1.0, 1.0]), np.array([2.0])]
cases = []
for one, other in [*itertools.combinations(UNTIED, 2), *itertools.combinations(TIED, 2), (UNTIED[7], UNTIED[5])]:
    sums, ties = ranked([one, other])
    test = st.mannwhitneyu(one, other, method="auto")
    cases.append({"groups": sums, "ties": ties, "statistic": number(test.statistic), "p": number(test.pvalue),
                  "effect": number(np.sign(one[:, None] - other[None, :]).mean())})
expected["mann_whitney"] = cases
cases = []
for groups in [UNTIED[:3], UNTIED[:6], UNTIED, TIED[:3], TIED, TIED[:2], [UNTIED[5], UNTIED[5] + 0.3, UNTIED[3]]]:
    sums, ties = ranked(groups)
    test = st.kruskal(*groups)
    size = sum(map(len, groups))
    cases.append({"groups": sums, "ties": ties, "statistic": number(test.statistic), "p": number(test.pvalue),
                  "effect": number(test.statistic * (size + 1) / (size**2 - 1))})
expected["kruskal_wallis"] = cases

# Correlation --------------------------------------------------------------------------------------------------------


def pairs(x, y):
    x, y = x - x.mean(), y - y.mean()
    return {"count": len(x), "xx": number((x * x).sum()), "yy": number((y * y).sum()), "xy": number((x * y).sum())}


cases = []
x = rng.normal(0, 1, 400)
for x, y in [(x, 0.3 * x + rng.normal(0, 1, 400)), (np.arange(4.0), np.array([1.0, 3.0, 2.0, 5.0])),
             (rng.integers(0, 5, 30).astype(float), rng.integers(0, 3, 30).astype(float)),
             (rng.lognormal(0, 1, 12), rng.lognormal(0, 2, 12)), (1e6 + rng.normal(0, 1, 50), rng.normal(0, 1e-3, 50)),
             (np.arange(9.0), -np.arange(9.0)**2)]:
    n = len(x)
    pearson, spearman, line = st.pearsonr(x, y), st.spearmanr(x, y), st.linregress(x, y)
    ends = pearson.confidence_interval(0.9)
    with np.errstate(divide="ignore"):
        z, error = np.arctanh(spearman.statistic), math.sqrt((1 + spearman.statistic**2 / 2) / (n - 3))
    rank_ends = np.tanh([z - 1.6448536269514722 * error, z + 1.6448536269514722 * error])
    reach = st.t.ppf(0.95, n - 2) * line.stderr
    plain = [n, x.sum(), y.sum(), (x * x).sum(), (y * y).sum(), (x * y).sum()]
    cases.append({"values": pairs(x, y), "sums": numbers(plain), "ranks": pairs(st.rankdata(x), st.rankdata(y)),
                  "r": number(pearson.statistic), "p": number(pearson.pvalue), "interval": numbers(ends),
                  "rho": number(spearman.statistic), "rho_p": number(spearman.pvalue), "rho_interval": numbers(rank_ends),
                  "slope": number(line.slope), "error": number(line.stderr),
                  "slope_interval": [line.slope - reach, line.slope + reach]})
expected["correlation"] = cases
cases = []
for sizes in [(5, 7, 9), (30, 2, 1, 12), (4, 4), (200, 300)]:
    group = np.repeat(np.arange(len(sizes)), sizes)
    x = rng.normal(0, 1, len(group)) + 4 * group
    y = -6 * group + 0.4 * x + rng.normal(0, 1, len(group))
    design = np.column_stack([x, group[:, None] == np.arange(len(sizes))]).astype(float)
    fit = sm.OLS(y, design).fit()
    t, freedom = fit.tvalues[0], fit.df_resid
    cases.append({"groups": [pairs(x[group == one], y[group == one]) for one in range(len(sizes))],
                  "r": number(t / math.sqrt(t * t + freedom)), "p": number(fit.pvalues[0]), "freedom": number(freedom),
                  "slope": number(fit.params[0]), "error": number(fit.bse[0])})
expected["within_groups"] = cases

# Series -------------------------------------------------------------------------------------------------------------


def alike(length, correlation, slope=0.0):
    values = [rng.normal()]
    for _ in range(length - 1):
        values.append(correlation * values[-1] + rng.normal())
    return np.round(np.array(values) + slope * np.arange(length), 6)


def kendall(test):
    return {"score": number(test.s), "tau": number(test.Tau), "variance": number(test.var_s), "p": number(test.p)}


def pettitt(values):
    ranks = st.rankdata(values)
    n, at = len(values), np.arange(1, len(values))
    scores = np.abs(2 * np.cumsum(ranks)[:-1] - at * (n + 1))
    return int(np.argmax(scores)) + 1, float(scores.max())


SERIES = [alike(4, 0), alike(7, 0, 0.4), alike(12, 0.5), alike(24, 0.3, 0.1), alike(40, 0.8), alike(60, -0.5, 0.05), alike(120, 0.6, 0.01),
          rng.integers(0, 4, 18).astype(float), np.array([1.0, 1.0, 1.0, 1.0, 2.0, 2.0]), np.arange(10.0), -np.arange(8.0)**2]
cases = []
for values in SERIES:
    sen = st.theilslopes(values, np.arange(len(values)), 0.9)
    at, most = pettitt(values)
    case = {"values": numbers(values), "plain": kendall(mk.original_test(values)), "slope": number(sen.slope),
            "interval": numbers([sen.low_slope, sen.high_slope]), "hamed_rao": {}, "change_at": at, "change_score": most}
    for lags in [1, 3]:
        with np.errstate(invalid="ignore"):
            test = mk.hamed_rao_modification_test(values, lag=lags)
        case["hamed_rao"][str(lags)] = kendall(test) if test.var_s > 0 else None
    cases.append(case)
expected["series"] = cases
cases = []
for length, period in [(24, 12), (30, 12), (60, 12), (21, 7), (12, 4), (11, 4)]:
    values = np.round(alike(length, 0.2, 0.05) + 5 * np.sin(2 * np.pi * np.arange(length) / period), 1)
    test = mk.seasonal_test(values, period=period)
    cases.append({"values": numbers(values), "period": period, **kendall(test), "slope": number(test.slope)})
expected["seasonal"] = cases

# Rhythm -------------------------------------------------------------------------------------------------------------


def age(gaps, silence):
    """The probability that a day falls into a gap that has lasted longer, integrated over s and m one after the other."""
    logs, n = np.log(gaps), len(gaps)
    mean, variance = logs.mean(), logs.var(ddof=1)

    def given(m, s):
        return st.norm.cdf((m + s * s - math.log(silence)) / s) - silence * math.exp(-m - s * s / 2) * st.norm.cdf((m - math.log(silence)) / s)

    def over_m(s):
        return integrate.quad(lambda u: st.norm.pdf(u) * given(mean + u * s / math.sqrt(n), s), -9, 9, epsabs=0, epsrel=1e-9)[0]

    def at(w):
        chi_square = math.exp(w)
        return st.chi2.pdf(chi_square, n - 1) * chi_square * over_m(math.sqrt((n - 1) * variance / chi_square))

    low, high = math.log(st.chi2.ppf(1e-13, n - 1)), math.log(st.chi2.isf(1e-13, n - 1))
    return integrate.quad(at, low, high, epsabs=0, epsrel=1e-8, limit=200)[0]


cases = []
for gaps, silences in [([7.0, 7.0, 8.0, 7.0, 6.0, 7.0], [5.0, 9.0, 30.0]), ([1.0, 2.0, 40.0, 3.0, 1.0, 60.0, 2.0], [20.0, 100.0, 900.0]),
                       ([14.0, 20.0, 9.0], [15.0, 60.0, 400.0]), (numbers(rng.exponential(5, 25)), [10.0, 30.0]),
                       (numbers(rng.gamma(9, 2, 90)), [1.0, 25.0, 45.0])]:
    logs, n = np.log(gaps), len(gaps)
    for silence in silences:
        fisher = st.f.sf(silence / np.mean(gaps), 2, 2 * n)
        t = (math.log(silence) - logs.mean()) / (logs.std(ddof=1) * math.sqrt(1 + 1 / n))
        cases.append({"gaps": gaps, "silence": silence, "memoryless": number(fisher), "gap": number(st.t.sf(t, n - 1)),
                      "silent": number(age(np.array(gaps), silence))})
expected["rhythm"] = cases

cases = []
for gaps, silences in [([7.0] * 6, [0.0, 5.0, 7.0, 30.0]), ([1.0, 1.0, 1.0], [0.5, 4.0, 1000.0]), ([14.0, 20.0, 9.0], [15.0, 400.0]),
                       ([1.0, 2.0, 40.0, 3.0, 1.0, 60.0, 2.0], [20.0, 900.0]), ([3.0, 3.0, 4.0, 4.0] * 30, [1e-6, 2.0, 9.0, 40.0])]:
    for silence, shape in itertools.product(silences, [0.3, 0.85, 1.0, 1.7, 3.0, 40.0]):
        # A gamma value over the sum of n others is Fisher's F, whatever their rate.
        p = st.f.sf(silence * len(gaps) / sum(gaps), 2 * shape, 2 * shape * len(gaps))
        cases.append({"gaps": gaps, "silence": silence, "shape": shape, "p": number(p)})
expected["gamma"] = cases


def gamma_age(gaps, silence, shape):
    """The probability that a day falls into a gamma-distributed gap that has lasted longer, integrated over the rate."""
    n, total = len(gaps), sum(gaps)

    def given(rate):
        mean = shape / rate
        beyond = integrate.quad(lambda u: st.gamma.sf(u, shape, scale=1 / rate), silence, silence + 60 * mean, epsabs=0, epsrel=1e-10)[0]
        return beyond / mean * st.gamma.pdf(rate, n * shape, scale=1 / total)

    middle = n * shape / total
    ends = st.gamma.ppf(1e-12, n * shape, scale=1 / total), st.gamma.isf(1e-12, n * shape, scale=1 / total)
    return sum(integrate.quad(given, low, high, epsabs=0, epsrel=1e-8, limit=200)[0] for low, high in [(ends[0], middle), (middle, ends[1])])


cases = []
for gaps, silences in [([7.0, 6.0, 9.0, 8.0, 7.0], [4.0, 15.0]), ([1.0, 2.0, 40.0, 3.0, 1.0, 60.0, 2.0], [20.0, 90.0])]:
    for silence, shape in itertools.product(silences, [0.5, 1.0, 2.0, 5.0]):
        cases.append({"gaps": gaps, "silence": silence, "shape": shape, "p": number(gamma_age(gaps, silence, shape))})
expected["gamma_silence"] = cases


def greenwood(shape, n):
    """The mean of Greenwood's statistic: each share is Beta(shape, (n - 1) shape)."""
    return n * st.beta(shape, (n - 1) * shape).moment(2)


cases = []
for ratio, n in itertools.product([0.4, 0.52, 0.6, 0.75, 0.9, 1.0, 1.1, 1.4, 2.2, 30.0], [1.0, 1.5, 2.0, 3.0, 4.6, 12.0, 250.0]):
    away = lambda log: greenwood(math.exp(log), n) - ratio * greenwood(1.0, n)
    # More even than gaps of shape 1e7, or less than those of 1e-7, is beyond all shapes.
    is_shape = n > 1 and away(math.log(1e7)) < 0 < away(math.log(1e-7))
    shape = number(math.exp(optimize.brentq(away, math.log(1e-7), math.log(1e7), xtol=1e-13, rtol=1e-13))) if is_shape else None
    cases.append({"ratio": ratio, "gaps_mean": n, "shape": shape})
expected["shape"] = cases
cases = []
for x, (one, other) in itertools.product([0.0, 1e-9, 0.02, 0.3, 0.5, 0.9, 0.999, 1.0],
                                         [(1.0, 1.0), (0.3, 0.9), (1.0, 3.0), (3.0, 9.0), (1.7, 200.0), (40.0, 120.0), (3.0, 30000.0)]):
    p = number(st.beta.sf(x, one, other))
    if p == 0 or p > 1e-300:
        cases.append({"x": x, "shapes": [one, other], "p": p})
expected["beta"] = cases

# Many tests ---------------------------------------------------------------------------------------------------------

cases = []
for p in [[0.01, 0.04, 0.03, 0.005], [0.5], [0.02, 0.02, 0.9, 0.02, 1.0, 0.0], numbers(rng.uniform(0, 1, 50)**2)]:
    cases.append({"p": p, "bh": numbers(st.false_discovery_control(p, method="bh")), "by": numbers(st.false_discovery_control(p, method="by"))})
expected["adjusted"] = cases
cases = []
for p in [numbers(rng.uniform(0, 1, 30)**6), numbers(rng.uniform(0, 1, 20)), [1e-6, 0.9, 1e-5, 0.8, 0.7, 1e-4, 0.001, 0.002, 0.5, 0.03]]:
    test, levels, reported = LordPlusPlus(alpha=0.1, wealth=0.05, reward=0.1), [], []
    for one in p:
        reported.append(bool(test.test_one(one)))
        levels.append(number(test.alpha))
    cases.append({"p": p, "levels": levels, "reported": reported})
expected["online"] = cases

# The tables of tests/integration/agent/runs/robustness.rs, five leads among its 43 comparisons, and the intervals of those that
# stand (Benjamini and Yekutieli 2005).
n = np.arange(1, 801)
amount = np.where(n == 400, 12000.0, (60 + n * 37 % 81) * np.where(n % 4 == 1, 2.0, 1.0))
north, east, south = n % 4 == 0, n % 4 == 1, n % 4 == 2
is_later = n * 7 % 731 >= 365
hours = 20.0 + n * 13 % 17 + np.where(is_later, 4.0, 0.0)
AVERAGES = [("gap(q1[East].mean, rest)", amount[east], amount[~east], 1),
            ("differ(q1[East].mean, q1[South].mean)", amount[east], amount[south], 6),
            ("gap(q1[North].mean, rest)", amount[north], amount[~north], 1),
            ("change(q3[2023].hours, q3[2024].hours)", hours[is_later], hours[~is_later], 1)]
large = [int((amount[rows] > 130).sum()) for rows in (east, ~east)]
wholes = [int(east.sum()), int((~east).sum())]
p = [st.ttest_ind(one, other, equal_var=False).pvalue for _, one, other, _ in AVERAGES]
p.append(st.fisher_exact([[part, whole - part] for part, whole in zip(large, wholes)]).pvalue)
adjusted = st.false_discovery_control(p + [1.0] * (43 - len(p)), method="bh")
level = 1 - 0.05 * (adjusted <= 0.1).sum() / 43
cases = []
for (lead, one, other, pairs_compared), p in zip(AVERAGES, adjusted):
    own = max(level, 1 - 0.05 / pairs_compared) if lead.startswith("differ") else level
    ends = st.ttest_ind(one, other, equal_var=False).confidence_interval(own)
    cases.append({"lead": lead, "p": number(p), "level": number(own), "interval": numbers(ends) if p <= 0.1 else None})
ends = confint_proportions_2indep(large[0], wholes[0], large[1], wholes[1], method="newcomb", compare="diff", alpha=1 - level)
cases.append({"lead": "gap(q1[East].large, rest)", "p": number(adjusted[len(AVERAGES)]), "level": number(level),
              "interval": numbers(100 * np.array(ends))})
expected["selected"] = cases

# Places within blocks -------------------------------------------------------------------------------------------------

cases = []
for blocks in [rng.normal(size=(12, 7)), rng.poisson(3, size=(30, 7)) + np.array([0, 0, 0, 0, 0, 1, 2]), rng.poisson(1, size=(9, 7)),
               rng.normal(size=(3, 12)) + np.arange(12) / 3, np.array([[1, 2, 3], [1, 3, 2]]), rng.integers(0, 2, size=(60, 5)),
               np.array([[0, 0, 0, 4], [0, 0, 0, 0], [2, 0, 0, 1], [5, 5, 1, 1]])]:
    test = st.friedmanchisquare(*np.asarray(blocks, dtype=float).T)
    rows, columns = blocks.shape
    cases.append({"blocks": [numbers(block) for block in blocks], "statistic": number(test.statistic), "p": number(test.pvalue),
                  "effect": number(test.statistic / (rows * (columns - 1)))})
expected["friedman"] = cases

lines = [f"{json.dumps(name)}: [\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]" for name, cases in expected.items()]
Path(__file__).with_name("expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
