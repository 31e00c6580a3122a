//! Writes numbers in the form that the encoder asks for.

use std::fmt;

use password_auth_model::measure::Histogram;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use super::names::Name;

/// Times are measured in microseconds and shown in seconds.
const MICROS: f64 = 1e6;

pub(super) struct Show<'a> {
    encoder: DescriptorEncoder<'a>,
}

impl<'a> Show<'a> {
    pub(super) const fn new(encoder: DescriptorEncoder<'a>) -> Self {
        Self { encoder }
    }

    fn metric(&mut self, name: Name, kind: MetricType) -> Result<MetricEncoder<'_>, fmt::Error> {
        let (name, help) = name;
        self.encoder.encode_descriptor(name, help, None, kind)
    }

    pub(super) fn counter(&mut self, name: Name, count: u64) -> fmt::Result {
        self.metric(name, MetricType::Counter)?
            .encode_counter::<NoLabelSet, _, u64>(&count, None)
    }

    pub(super) fn fractional_counter(&mut self, name: Name, count: f64) -> fmt::Result {
        self.metric(name, MetricType::Counter)?
            .encode_counter::<NoLabelSet, _, u64>(&count, None)
    }

    pub(super) fn counters<L: EncodeLabelSet>(
        &mut self,
        name: Name,
        counts: impl IntoIterator<Item = (L, u64)>,
    ) -> fmt::Result {
        let mut metric = self.metric(name, MetricType::Counter)?;
        for (labels, count) in counts {
            metric
                .encode_family(&labels)?
                .encode_counter::<NoLabelSet, _, u64>(&count, None)?;
        }
        Ok(())
    }

    pub(super) fn gauge(&mut self, name: Name, value: f64) -> fmt::Result {
        self.metric(name, MetricType::Gauge)?.encode_gauge(&value)
    }

    pub(super) fn gauges<L: EncodeLabelSet>(
        &mut self,
        name: Name,
        values: impl IntoIterator<Item = (L, f64)>,
    ) -> fmt::Result {
        let mut metric = self.metric(name, MetricType::Gauge)?;
        for (labels, value) in values {
            metric.encode_family(&labels)?.encode_gauge(&value)?;
        }
        Ok(())
    }

    pub(super) fn times<'h, L: EncodeLabelSet>(
        &mut self,
        name: Name,
        times: impl IntoIterator<Item = (L, &'h Histogram)>,
    ) -> fmt::Result {
        let mut metric = self.metric(name, MetricType::Histogram)?;
        for (labels, times) in times {
            encode(&mut metric.encode_family(&labels)?, times, MICROS)?;
        }
        Ok(())
    }

    pub(super) fn sizes(&mut self, name: Name, sizes: &Histogram) -> fmt::Result {
        encode(&mut self.metric(name, MetricType::Histogram)?, sizes, 1.0)
    }
}

fn encode(metric: &mut MetricEncoder<'_>, histogram: &Histogram, unit: f64) -> fmt::Result {
    // The encoder writes the highest number as +Inf.
    let bound = |bound: Option<u64>| bound.map_or(f64::MAX, |bound| bound as f64 / unit);
    let buckets = histogram.buckets();
    let buckets: Vec<(f64, u64)> = buckets.map(|(at, count)| (bound(at), count)).collect();
    let count = buckets.iter().map(|(_, count)| count).sum();
    let sum = histogram.sum() as f64 / unit;
    metric.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
}
