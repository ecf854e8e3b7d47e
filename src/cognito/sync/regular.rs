//! Syncs again and again while the server runs.

use std::sync::Arc;
use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{IntCounterVec, IntGauge};

use super::max_changes::MaxChanges;
use super::plan::Action;
use super::prepare::{Source, SyncError, prepare};
use crate::cognito::linking::Rules;
use crate::cognito::pool_api::PoolApi;
use crate::db::Db;
use crate::metrics;

pub struct PoolSync {
    pub api: PoolApi,
    pub rules: Arc<Rules>,
    pub every: Duration,
    pub max_changes: MaxChanges,
    pub metrics: SyncMetrics,
}

#[derive(Clone)]
pub struct SyncMetrics {
    syncs: IntCounterVec,
    last_success: IntGauge,
}

impl SyncMetrics {
    #[allow(clippy::new_without_default)]
    pub fn new() -> SyncMetrics {
        let syncs =
            metrics::counters("gatepost_pool_syncs_total", "Syncs with the user pool, by outcome.", &["outcome"]);
        for outcome in ["done", "partial", "incomplete", "refused", "busy", "failed"] {
            syncs.with_label_values(&[outcome]);
        }
        let name = "gatepost_pool_sync_last_success_timestamp_seconds";
        SyncMetrics { syncs, last_success: metrics::gauge(name, "End of the last sync that was carried out.") }
    }

    pub fn collectors(&self) -> [Box<dyn Collector>; 2] {
        [Box::new(self.syncs.clone()), Box::new(self.last_success.clone())]
    }
}

impl PoolSync {
    /// Runs now and then at intervals. Never returns.
    pub async fn run(self, db: Db) {
        loop {
            let outcome = match self.sync(&db).await {
                Ok(outcome) => outcome,
                Err(SyncError::Busy) => {
                    log::info!("pool sync: another process is syncing");
                    "busy"
                }
                Err(error) => {
                    log::warn!("pool sync: {}", error.to_string().escape_debug());
                    "failed"
                }
            };
            self.metrics.syncs.with_label_values(&[outcome]).inc();
            if outcome == "done" {
                self.metrics.last_success.set(chrono::Utc::now().timestamp());
            }
            tokio::time::sleep(self.every).await;
        }
    }

    async fn sync(&self, db: &Db) -> Result<&'static str, SyncError> {
        let prepared = prepare(db, Source::Pool(&self.api), &self.rules, &mut |_| ()).await?;
        let plan = &prepared.plan;
        if let Some((changes, most)) = plan.beyond(self.max_changes) {
            log::warn!(
                "pool sync: nothing was changed, because {changes} users would be and at most {most} may; look at `gatepost sync --dry-run`"
            );
            return Ok("refused");
        }
        let applied = prepared.apply(db).await?;
        let count = |action| plan.count(action);
        log::info!(
            "pool sync: {} users in the pool, {} deactivated, {} activated, {} with other groups, {} linked, {} kept, {} refused, {} failed",
            plan.listed,
            count(Action::Deactivate),
            count(Action::Activate),
            count(Action::Groups),
            count(Action::Link),
            count(Action::Keep),
            count(Action::Refuse),
            applied.failed.len(),
        );
        for (username, reason) in &applied.failed {
            log::warn!("pool sync: `{}` was not changed: {}", username.escape_debug(), reason.escape_debug());
        }
        if let Some(incomplete) = plan.incomplete {
            log::warn!("pool sync: nobody was deactivated: {incomplete}");
            return Ok("incomplete");
        }
        Ok(if applied.failed.is_empty() { "done" } else { "partial" })
    }
}
