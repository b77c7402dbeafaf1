"""What ``scripts/deploy`` does: the orchestrator's image to ECR, its stack to CloudFormation."""
