ALTER TABLE "llm_lab"."grading_tasks" ADD COLUMN "priority" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "llm_lab"."grading_tasks" ADD COLUMN "error_report" jsonb;